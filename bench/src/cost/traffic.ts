/** What went over the connections of a process to a server. */
export interface Traffic {
  /** Postgres: statements that the server completed. Redis: commands that clients sent, a script being one. */
  commands: number;
  /** Postgres: exchanges, which end with ReadyForQuery. Redis: turns from the client's side to the server's. */
  roundTrips: number;
}
