/* One participant without any meeting: a test calls what stands in tab and
 * carries the SDP between here and conf-relay. */
const quiet = {echoCancellation: false, noiseSuppression: false,
	autoGainControl: false};
const streams = [];
const inbound = new Map(); // mid -> {track, analyser}
let context, incoming;

async function publish({video = {width: 320, height: 240, frameRate: 15}} = {})
{
	const s = await navigator.mediaDevices.getUserMedia({audio: quiet,
		video});
	const pc = new RTCPeerConnection({bundlePolicy: 'max-bundle'});
	const sendonly = {direction: 'sendonly', streams: [s]};

	pc.addTransceiver(s.getAudioTracks()[0], sendonly);
	pc.addTransceiver(s.getVideoTracks()[0], {...sendonly, sendEncodings: [
		{rid: 'q', active: false, scaleResolutionDownBy: 4},
		{rid: 'h', active: true, scaleResolutionDownBy: 1},
		{rid: 'f', active: false, scaleResolutionDownBy: 1},
	]});
	pc.addTransceiver('video', {direction: 'sendonly'});
	pc.addTransceiver('audio', {direction: 'sendonly'});
	await pc.setLocalDescription();
	streams.push(pc);
	return {n: streams.length - 1, sdp: pc.localDescription.sdp};
}

function published(n, sdp)
{
	return streams[n].setRemoteDescription({type: 'answer', sdp});
}

function take(e)
{
	const s = new MediaStream([e.track]);
	const el = document.createElement(e.track.kind);
	const seat = {track: e.track, analyser: null};

	el.autoplay = el.playsInline = true;
	el.srcObject = s;
	document.getElementById('seen').append(el);
	if (e.track.kind == 'audio') {
		context ||= new AudioContext({sampleRate: 48000});
		seat.analyser = context.createAnalyser();
		seat.analyser.fftSize = 16384;
		seat.analyser.smoothingTimeConstant = 0;
		context.createMediaStreamSource(s).connect(seat.analyser);
	}
	inbound.set(e.transceiver.mid, seat);
}

async function subscribe(sdp)
{
	incoming ||= new RTCPeerConnection({bundlePolicy: 'max-bundle'});
	incoming.ontrack = take;
	await incoming.setRemoteDescription({type: 'offer', sdp});
	await incoming.setLocalDescription();
	return incoming.localDescription.sdp;
}

/* By mid of what is received: frames, packets, energy. */
async function received()
{
	const all = {};

	for (const s of (await incoming.getStats()).values())
		if (s.type == 'inbound-rtp')
			all[s.mid] = {kind: s.kind, packets: s.packetsReceived,
				frames: s.framesDecoded || 0,
				energy: s.totalAudioEnergy || 0,
				keys: s.keyFramesDecoded, plis: s.pliCount};
	return all;
}

/* The loudest frequency of what comes on mid, in Hz; 0 for silence. */
function pitch(mid)
{
	const a = inbound.get(mid)?.analyser;
	if (!a) return 0;
	const bins = new Float32Array(a.frequencyBinCount);
	a.getFloatFrequencyData(bins);
	let best = 0;
	for (let i = 1; i < bins.length; i++)
		if (bins[i] > bins[best]) best = i;
	return bins[best] < -70 ? 0 :
		best * context.sampleRate / a.fftSize;
}

/* How a publishing connection fares; its local and remote addresses. */
async function path(n)
{
	const pc = streams[n];
	const stats = await pc.getStats();
	const of = (type) => [...stats.values()].filter((s) => s.type == type);
	const pair = of('candidate-pair').find((p) => p.nominated &&
		p.state == 'succeeded');
	return {state: pc.connectionState,
		remote: pair && stats.get(pair.remoteCandidateId)?.address,
		suite: of('transport')[0]?.srtpCipher,
		rtt: of('remote-inbound-rtp').map((s) => s.roundTripTime)};
}

function close(n)
{
	streams[n].close();
}

window.tab = {publish, published, subscribe, received, pitch, path, close};
