/*
 * The protocol by which jobs move, for Spin (https://spinroot.com): two dispatchers that both believe to lead, two workers, two
 * tenants, a concurrency key with one slot that is asked for in two queues, and so many crashes anywhere (CRASHES).
 * docs/model.md says what stands for what.
 *
 * A transaction of Postgres is an atomic step, but where locks and snapshots matter. What is asserted holds after each of them,
 * and where nobody has anything left to do every job is done. Each guard can be left out (-DNO_ROUND and so on).
 */

#define JOBS 3
#define QUEUES 2
#define DISPATCHERS 2
#define WORKERS 2
#define NOBODY 255
/* So many jobs of a queue may be in flight. */
#define WINDOW 1
#ifndef CRASHES
#define CRASHES 1
#endif

/* Jobs 0 and 1 are of tenant 0 and need the slot; job 2 is of tenant 1 and needs none. Job 1 alone is in queue 1. */
#define queueOf(j) ((j) == 1)
#define tenantOf(j) ((j) == 2)

/* The hot tables, and how often an outcome was recorded. */
bool accepted[JOBS], ready[JOBS], blocked[JOBS], flight[JOBS];
byte outcomes[JOBS];
/* Of jobs in flight: through whose lane, whether and by whom claimed, and the fencing token. */
byte lane[JOBS], holder[JOBS], attempt[JOBS];
bool claimed[JOBS];
/* What each worker runs. */
byte runs[WORKERS] = NOBODY;

/* The engine may lose all that it has. Whoever is about to put a job there, or to claim it, has it on its way. */
bool engine[JOBS], onItsWay[JOBS];

/* Locks that a transaction holds until it ends: the row of the queue, and the key. */
bool queueLocked[QUEUES], keyLocked;

/* What was told since a dispatcher last heard: jobs of a tenant that came to a queue, and jobs that left flight. */
#define at(d, q, t) ((d) * 4 + (q) * 2 + (t))
#define of(d, q) ((d) * 2 + (q))
bool told[8], landed[4];

/* Whether nobody else has had a turn, or has stored passes, since a dispatcher's last look: it stands for the round of the queue. */
bool isLatest[4];

/* The pass of tenant 1 in queue 0: as it is stored, as a dispatcher knows it, and what it has not heard of. */
byte storedPass, knownPass[DISPATCHERS], unheardPass[DISPATCHERS];

bool isAlive[WORKERS], isSilent[WORKERS];
/* Whether the second dispatcher has not learned yet that it does not lead. */
bool leads = true;
byte crashes = CRASHES;

#define inFlight(q) ((q) == 0 -> flight[0] + flight[2] : flight[1])
#define slotsTaken (flight[0] + flight[1])
#define places(j) (ready[j] + blocked[j] + flight[j] + (outcomes[j] > 0))

inline check() {
  d_step {
    assert(places(0) == accepted[0] && places(1) == accepted[1] && places(2) == accepted[2]);
    assert(outcomes[0] <= 1 && outcomes[1] <= 1 && outcomes[2] <= 1);
    assert(slotsTaken <= 1);
    assert(inFlight(0) <= WINDOW && inFlight(1) <= WINDOW)
  }
}

inline tell(j) {
  told[at(0, queueOf(j), tenantOf(j))] = true;
  if
  :: queueOf(j) == 0 && leads -> told[at(1, 0, tenantOf(j))] = true
  :: else
  fi
}

inline tellOfLanding(j) {
#ifdef NO_LANDING
  skip
#else
  landed[of(0, queueOf(j))] = true;
  if
  :: queueOf(j) == 0 && leads -> landed[of(1, 0)] = true
  :: else
  fi
#endif
}

inline takeBack(j) {
  d_step {
    tell(j);
    tellOfLanding(j);
    flight[j] = false;
    claimed[j] = false;
    lane[j] = 0;
    holder[j] = 0;
    ready[j] = true
  }
}

/* It accepts a job while everybody is at work; the others were accepted before. */
proctype Client() {
  atomic {
    accepted[2] = true;
    ready[2] = true;
    tell(2);
    check()
  }
}

/* What a dispatcher remembers of a queue. */
typedef Picture {
  bool isKnown;
  bool waits[2];
  bool isFull;
  bool isHeldElsewhere;
  byte flights
};

#define waitsIn(q, t) ((t) == 1 -> (q) == 0 && ready[2] : ((q) == 0 -> ready[0] || blocked[0] : ready[1] || blocked[1]))

/* Reads the queue whole. */
inline survey(d, q) {
  d_step {
    if
    :: q == 0 ->
      knownPass[d] = storedPass;
      unheardPass[d] = 0
    :: else
    fi;
    picture[q].isKnown = true;
    picture[q].waits[0] = waitsIn(q, 0);
    picture[q].waits[1] = waitsIn(q, 1);
    picture[q].isFull = false;
    picture[q].isHeldElsewhere = false;
    picture[q].flights = inFlight(q);
    told[at(d, q, 0)] = false;
    told[at(d, q, 1)] = false;
    landed[of(d, q)] = false;
    isLatest[of(d, q)] = true
  }
}

/* Brings a picture up to date by what was told. */
inline hear(d, q) {
  d_step {
    if
    :: landed[of(d, q)] -> picture[q].isFull = false
    :: else
    fi;
    if
    :: q == 0 ->
      knownPass[d] = knownPass[d] + unheardPass[d];
      unheardPass[d] = 0
    :: else
    fi;
    picture[q].waits[0] = picture[q].waits[0] || told[at(d, q, 0)];
    picture[q].waits[1] = picture[q].waits[1] || told[at(d, q, 1)];
    told[at(d, q, 0)] = false;
    told[at(d, q, 1)] = false;
    landed[of(d, q)] = false;
    picture[q].flights = inFlight(q)
  }
}

inline forget(p) {
  d_step {
    picture[p].isKnown = false;
    picture[p].waits[0] = false;
    picture[p].waits[1] = false;
    picture[p].isFull = false;
    picture[p].isHeldElsewhere = false;
    picture[p].flights = 0
  }
}

#define hasRoom(q) (picture[q].flights < WINDOW)
#define mayTake(q) (hasRoom(q) && ((picture[q].waits[0] && !picture[q].isFull) || picture[q].waits[1]))
#ifdef NO_POLL
#define mayPoll(q) false
#else
/* A look every 100 ms; one that finds the slot taken changes nothing. */
#define mayPoll(q) (picture[q].isFull && picture[q].isHeldElsewhere && slotsTaken == 0)
#endif
#define wasTold(d, q) (told[at(d, q, 0)] || told[at(d, q, 1)] || landed[of(d, q)])
#ifdef NO_ROUND
#define isLost(d, q) false
#else
#define isLost(d, q) (!isLatest[of(d, q)])
#endif
#define hasWork(d, q) (!picture[q].isKnown || !isLatest[of(d, q)] || wasTold(d, q) || mayTake(q) || mayPoll(q))
#ifdef NO_PASS_FENCE
#define mayStore(d) true
#else
#define mayStore(d) (isLatest[of(d, 0)])
#endif
#ifdef NO_CLAIM
#define mayClaim(j) (flight[j])
#else
#define mayClaim(j) (flight[j] && !claimed[j])
#endif

/* A process that dies forgets its pictures; its transaction is rolled back, and its locks are free. */
inline maybeCrash() {
  if
  :: atomic {
      crashes > 0 ->
      crashes--;
      if
      :: hasQueueLock -> queueLocked[q] = false; hasQueueLock = false
      :: else
      fi;
      if
      :: hasKeyLock -> keyLocked = false; hasKeyLock = false
      :: else
      fi;
      forget(0);
      forget(1);
      if
      :: job != NOBODY -> onItsWay[job] = false; job = NOBODY
      :: else
      fi;
      goto begin
    }
  :: true
  fi
}

proctype Dispatcher(byte d) {
  Picture picture[QUEUES];
  byte q, t, job = NOBODY;
  bool hasQueueLock, hasKeyLock, isFull, isElsewhere;

begin:
  atomic { q = 0; t = 0; isFull = false; isElsewhere = false };
end:
  do
  :: atomic { hasWork(d, 0) -> q = 0 };
    goto turn
  :: atomic { d == 0 && hasWork(d, 1) -> q = 1 };
    goto turn
  /* The second one learns that it does not lead, so that nobody but the first looks after what is left. */
  :: atomic {
      d == 1 ->
      forget(0);
      leads = false;
      told[4] = false; told[5] = false;
      landed[2] = false;
      isLatest[2] = false;
      knownPass[1] = 0; unheardPass[1] = 0;
      goto gone
    }
  od;

turn:
  atomic {
    if
    :: !picture[q].isKnown || isLost(d, q) || !isLatest[of(d, q)] && !wasTold(d, q) && !mayTake(q) && !mayPoll(q) ->
      survey(d, q)
    :: else -> hear(d, q)
    fi;
    if
    :: mayPoll(q) -> picture[q].isFull = false
    :: else
    fi;
    /* Of its own memory: nobody can come in between. */
    if
    :: hasRoom(q) && picture[q].waits[1] -> t = 1
    :: hasRoom(q) && picture[q].waits[0] && !picture[q].isFull -> t = 0
    :: else -> goto store
    fi
  };

  /* The transaction of the turn. Whoever comes second waits for the row of the queue, and sees then that it has lost. */
  atomic {
    !queueLocked[q] -> queueLocked[q] = true;
    if
    :: isLost(d, q) -> queueLocked[q] = false; forget(q); goto begin
    :: else -> hasQueueLock = true
    fi
  };
  if
  :: t == 0 ->
#ifndef NO_SLOT
    atomic { !keyLocked -> keyLocked = true; hasKeyLock = true };
#endif
    /* A statement of its own, whose snapshot is younger than the lock. */
    atomic { isFull = slotsTaken > 0; isElsewhere = (q == 0 -> flight[1] : flight[0]) }
  :: else -> atomic { isFull = false; isElsewhere = false }
  fi;
  maybeCrash();
  atomic {
    job = NOBODY;
    if
    :: t == 1 && ready[2] -> job = 2
    :: t == 0 && q == 0 && (ready[0] || blocked[0]) -> job = 0
    :: t == 0 && q == 1 && (ready[1] || blocked[1]) -> job = 1
    :: else
    fi;
    if
    :: job != NOBODY && isFull -> ready[job] = false; blocked[job] = true
    :: job != NOBODY && !isFull ->
      ready[job] = false;
      blocked[job] = false;
      flight[job] = true;
      onItsWay[job] = true;
      /* Each fills a lane; the second one perhaps that of a build that has just gone. */
      lane[job] = d
    :: else
    fi;
    isLatest[of(1 - d, q)] = false;
    queueLocked[q] = false;
    hasQueueLock = false;
    if
    :: hasKeyLock -> keyLocked = false; hasKeyLock = false
    :: else
    fi;
    check()
  };

  /* It is answered what it took. An accept may have come since: that was told, and is heard next. */
  atomic {
#ifdef NO_HEAR
    if
    :: !isFull -> told[at(d, q, t)] = false
    :: else
    fi;
#endif
    if
    :: job != NOBODY && isFull ->
      picture[q].isFull = true;
      picture[q].isHeldElsewhere = isElsewhere;
      job = NOBODY
    :: job != NOBODY && !isFull ->
      picture[q].flights = picture[q].flights + 1;
      picture[q].waits[t] = false
    :: else -> picture[q].waits[t] = false
    fi
  };
  maybeCrash();
  if
  :: atomic { job != NOBODY -> engine[job] = true; onItsWay[job] = false; job = NOBODY }
  :: else
  fi;

  /* The passes of the fair order are for whoever leads next. Storing them counts the round up, and waits for the row too. */
store:
  if
  :: q == 1
  :: atomic {
      q == 0 && !queueLocked[0] ->
      if
      :: picture[0].isKnown && mayStore(d) && knownPass[d] != storedPass ->
        assert(knownPass[d] >= storedPass);
        storedPass = knownPass[d];
        isLatest[of(1 - d, 0)] = false
      :: else
      fi
    }
  fi;
  goto begin;

gone:
  skip
}

proctype Worker(byte w) {
  byte j, job, token;

begin:
  atomic { job = 0; token = 0 };
end:
  do
  :: atomic { isAlive[w] && engine[0] && lane[0] == w -> engine[0] = false; onItsWay[0] = true; job = 0 }; goto claim
  :: atomic { isAlive[w] && engine[1] && lane[1] == w -> engine[1] = false; onItsWay[1] = true; job = 1 }; goto claim
  :: atomic { isAlive[w] && engine[2] && lane[2] == w -> engine[2] = false; onItsWay[2] = true; job = 2 }; goto claim
  /* The second one may leave for good, in order: what is in its lane goes back. */
  :: atomic {
      w == 1 && isAlive[w] && crashes > 0 ->
      crashes--;
      isAlive[w] = false;
      for (j : 0 .. JOBS - 1) {
        if
        :: flight[j] && !claimed[j] && lane[j] == w -> takeBack(j)
        :: else
        fi
      }
      j = 0;
      check()
    }
  od;

claim:
  if
  /* It dies before it claims: nobody has the message then. */
  :: atomic { crashes > 0 -> crashes--; onItsWay[job] = false; goto begin }
  :: atomic {
      mayClaim(job) ->
      onItsWay[job] = false;
      claimed[job] = true;
      holder[job] = w;
      attempt[job]++;
      token = attempt[job];
      isSilent[w] = false;
      runs[w] = job;
      assert(runs[1 - w] != job || isSilent[1 - w])
    }
  :: atomic { !mayClaim(job) -> onItsWay[job] = false; goto begin }
  fi;

  /* It falls silent, is given up by the others, and comes back. */
  if
  :: atomic { crashes > 0 -> crashes--; isSilent[w] = true }
  :: true
  fi;
  atomic {
    runs[w] = NOBODY;
    if
#ifdef NO_FENCE
    :: true ->
#else
    :: flight[job] && claimed[job] && attempt[job] == token ->
#endif
      flight[job] = false;
      claimed[job] = false;
      lane[job] = 0;
      holder[job] = 0;
      attempt[job] = 0;
      outcomes[job]++;
      tellOfLanding(job);
      if
      :: job == 2 -> unheardPass[0]++; unheardPass[1] = unheardPass[1] + leads
      :: else
      fi;
      check()
    :: else
    fi
  };
  goto begin
}

#define mayBeMissing(j) (flight[j] && !claimed[j] && !engine[j] && !onItsWay[j])
#define mayBeSlow(j) (crashes > 0 && flight[j] && !claimed[j] && !engine[j] && onItsWay[j])

/* What one service in the installation does: it looks for what got lost. */
proctype Services() {
end:
  do
#ifndef NO_RECONCILER
  /* Dispatched, and in no engine. */
  :: atomic { mayBeMissing(0) -> takeBack(0); check() }
  :: atomic { mayBeMissing(1) -> takeBack(1); check() }
  :: atomic { mayBeMissing(2) -> takeBack(2); check() }
  /* Who has it on its way is so slow that it is taken for missing: that counts as a crash. */
  :: atomic { mayBeSlow(0) -> crashes--; takeBack(0); check() }
  :: atomic { mayBeSlow(1) -> crashes--; takeBack(1); check() }
  :: atomic { mayBeSlow(2) -> crashes--; takeBack(2); check() }
#endif
#ifndef NO_LANE
  /* In the lane of a build that is gone. */
  :: atomic { flight[0] && !claimed[0] && !isAlive[lane[0]] -> engine[0] = false; takeBack(0); check() }
  :: atomic { flight[1] && !claimed[1] && !isAlive[lane[1]] -> engine[1] = false; takeBack(1); check() }
  :: atomic { flight[2] && !claimed[2] && !isAlive[lane[2]] -> engine[2] = false; takeBack(2); check() }
#endif
  /* Claimed by a worker that is silent. */
  :: atomic { flight[0] && claimed[0] && isSilent[holder[0]] -> takeBack(0); check() }
  :: atomic { flight[1] && claimed[1] && isSilent[holder[1]] -> takeBack(1); check() }
  :: atomic { flight[2] && claimed[2] && isSilent[holder[2]] -> takeBack(2); check() }
  /* Somebody wipes the engine, be it empty. */
  :: atomic { crashes > 0 -> crashes--; engine[0] = false; engine[1] = false; engine[2] = false }
  od
}

init {
  atomic {
    isAlive[0] = true;
    isAlive[1] = true;
    accepted[0] = true; ready[0] = true;
    accepted[1] = true; ready[1] = true;
    run Client();
    run Dispatcher(0);
    run Dispatcher(1);
    run Worker(0);
    run Worker(1);
    run Services()
  }
  /* Nobody can do anything any more. */
  timeout -> assert(outcomes[0] == 1 && outcomes[1] == 1 && outcomes[2] == 1)
}
