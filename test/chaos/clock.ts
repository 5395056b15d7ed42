/** Preloaded into a sender: its clock is `CHAOS_AHEAD` ms ahead, so that what is deferred for hours is due. */
const ahead = Number(process.env.CHAOS_AHEAD ?? 0);
const now = Date.now;
Date.now = () => now() + ahead;
