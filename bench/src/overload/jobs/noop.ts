import { JOB_TYPE } from '../../payload.ts';
import { worksAs } from '../../works-as.ts';

/** What every contender runs; Accepted knows it beside the others. */
export default worksAs(JOB_TYPE);
