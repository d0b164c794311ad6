import { worksAs } from '../../works-as.ts';

export default worksAs('overload.import');
