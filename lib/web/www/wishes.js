/* wishes - what the relay is asked to send: numbers in, media.want's tracks
 * out. What is not seen is asked for at height 0, which stops it. */
const HEIGHTS = [180, 360, 720];
/* As many as the relay lets one ask for. */
const MOST = 128;
const FLOATING = 360;

const bucket = px => HEIGHTS.find(h => h >= px) ?? 720;

/* `people` are all others: {user, px, cam}: the height of a tile that is
 * seen, in device pixels, and whether there is a camera. `screen` or `person`
 * has the stage; dark: nothing is seen; floating: {user, source} or null. */
export function wishes({ people, sharers, screen, person, dark, saving,
	floating }) {
	const floats = (user, source) => floating?.user === user
		&& floating.source === source;
	const tracks = sharers.map(user => ({ user, source: 'screen', height:
		(user === screen && !dark) || floats(user, 'screen') ? 720 : 0,
	stage: true }));
	const most = { off: 0, small: 180 }[saving] ?? 720;
	const cams = people.map(({ user, px, cam }) => {
		const height = dark || !px ? 0 : Math.min(bucket(px), most);
		return { user, source: 'cam', stage: user === person, cam,
			height: floats(user, 'cam') ? Math.max(height, FLOATING)
				: height };
	});
	/* Of too many those are left out who have nothing to be stopped. */
	if (tracks.length + cams.length > MOST) {
		const rank = c => (c.height ? 2 : 0) + (c.cam ? 1 : 0);
		cams.sort((a, b) => rank(b) - rank(a));
	}
	return [...tracks, ...cams.map(({ cam: _, ...track }) => track)]
		.slice(0, MOST);
}
