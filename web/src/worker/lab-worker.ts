/** The worker's entry: all model work of the page happens in copies of it. */
import { methods } from './methods.ts';
import { serve } from './serve.ts';

serve(methods);
