/** Names one dispatch of a job. Only the newest of a job can be claimed. */
export interface DispatchKey {
  id: string;
  dispatchNo: number;
}
