import {mutators as checked} from './checked.mjs';
import {mutators as scenario} from './scenario.mjs';

/** All that is to be bundled, for one server. */
export const mutators = {...scenario, ...checked};
