/* lost - what is done when a device is pulled out, taken away or plugged in:
 * why one ended, what takes its place, and what comes back.
 *
 * devices.onlost(kind, why, other): one was lost in use. kind is 'mic', 'cam'
 * or 'spk', why 'unplugged', 'withdrawn' (the permission) or 'stopped' (by
 * what is not known), other the name of the one that took its place, or ''.
 * lost_KIND_WHY and lost_mic_other are words for it. devices.onback(kind):
 * one that was missing is here and in use. devices.missing: the kinds that
 * would be taken if they were there; devices.speakers: those there were. */

/* Without its permission a browser hides what else it knows of a device. */
async function whyEnded(devices, kind, id) {
	const state = await devices.permission(kind);
	if (state === 'denied') return 'withdrawn';
	const all = (await devices.list())[kind];
	if (!all.length && state === 'prompt') return 'withdrawn';
	return all.some(d => d.id === id) ? 'stopped' : 'unplugged';
}

/* A microphone is replaced by another; a camera is not, for nobody knows
 * where that one looks. */
export async function ended(devices, kind, track) {
	if (devices[kind] !== track) return;
	const { deviceId } = track.getSettings();
	devices[kind] = null;
	const why = await whyEnded(devices, kind, deviceId);
	if (devices[kind]) return;
	devices[`${kind}Problem`] = { unplugged: `no_${kind}`,
		withdrawn: `${kind}_blocked`, stopped: `${kind}_busy` }[why];
	if (why === 'unplugged') {
		if (kind === 'mic') await devices.ask({ cam: false });
		if (!devices[kind]) devices.missing.add(kind);
	}
	devices.changed();
	devices.onlost(kind, why, devices[kind]?.label ?? '');
}

/* Something was plugged in or out. */
export async function moved(devices) {
	const all = await devices.list();
	for (const kind of ['mic', 'cam']) {
		if (!devices.missing.has(kind) || devices[kind] || devices.asking
			|| !all[kind].length) continue;
		await devices.ask({ mic: kind === 'mic', cam: kind === 'cam' });
		if (devices[kind]) devices.onback(kind);
	}
	devices.changed();
	speakers(devices, all);
}

/* Whether the one chosen is still there. */
function speakers(devices, { spk }) {
	const before = devices.speakers, id = devices.speaker();
	devices.speakers = spk.map(d => d.id);
	if (id && before?.includes(id) && !devices.speakers.includes(id))
		devices.onlost('spk', 'unplugged', '');
}

/* The speakers at the beginning. */
export async function begin(devices) {
	devices.speakers ??= (await devices.list()).spk.map(d => d.id);
}
