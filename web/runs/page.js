import { isOne } from './frame.js';

// The pages of runs have one HTML: all runs at /runs, and one at /runs/<id>.
await import(isOne ? './run.js' : './list.js');
