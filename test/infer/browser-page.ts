/** The page of `browser.test.ts`: the package's browser entry, held out to the test. */
import { exportModel, fit, openSession, readModel, verifySession } from '../../index-browser.ts';

Object.assign(globalThis, { icl: { exportModel, fit, openSession, readModel, verifySession } });
