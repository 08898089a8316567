/* timeout: 180
 * Slots that change hands under loss never show one person's colour under
 * another's name. */
import process from 'node:process';
import {test} from './lib.mjs';
import {swaps} from './swaps.mjs';

const seed = Number(process.env.SEED) || Date.now() % 1000000;

await test(() => swaps(200, seed, 120));
