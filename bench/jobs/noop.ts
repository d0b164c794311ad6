import { worksAs } from '../src/works-as.ts';

/** The job of the benchmark, as a user of Accepted writes it. */
export default worksAs('bench.noop');
