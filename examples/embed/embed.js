/* Shows the meeting of the link behind # in a frame, sends it what the
 * buttons say, and prints what it answers. See conf-embed(7). */
const link = location.hash.slice(1);
const { origin } = new URL(link);
const frame = document.createElement('iframe');
const log = document.getElementById('log');
let id = 0;

function print(way, message) {
	log.append(`${way} ${JSON.stringify(message)}\n`);
	log.scrollTop = log.scrollHeight;
}

function ask(type, more) {
	const message = { confkit: 1, id: ++id, type, ...more };
	print('>', message);
	frame.contentWindow.postMessage(message, origin);
}

addEventListener('message', event => {
	if (event.source !== frame.contentWindow || event.origin !== origin)
		return;
	print('<', event.data);
});

document.querySelector('form').addEventListener('submit', event => {
	event.preventDefault();
	const { do: type, on } = event.submitter.dataset;
	const { name, text } = event.target.elements;
	ask(type, type === 'join' ? { name: name.value }
		: type === 'chat' ? { text: text.value }
			: on ? { on: on === 'true' } : {});
});

frame.title = 'Meeting';
frame.allow = 'camera; microphone; display-capture; fullscreen; autoplay; '
	+ 'clipboard-write; picture-in-picture';
frame.src = link;
document.body.append(frame);
