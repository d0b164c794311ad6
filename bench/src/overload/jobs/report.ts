import { worksAs } from './_works.ts';

export default worksAs('overload.report');
