/** What the engine knows about English news: lists that an editor can read and extend. */
import type { WordLists } from './lexicon.ts';

export const english: WordLists = {
  language: 'en',
  windows: { name: 60, verb: 90, anaphor: 40 },
  typical: { sentence: 100, item: 450 },
  limits: { summary: 300, cue: 30 },
  stopWords: `
    a, an, the, and, or, but, nor, so, yet, if, then, than, as, at, by, for, from, in, into, of, off, on, onto, out, over, to, up, with,
    without, within, about, after, again, against, all, almost, also, am, any, are, around, away, back, be, because, been, before, being,
    between, both, can, can't, cannot, could, did, do, does, doing, don't, done, down, during, each, either, else, even, ever, every, few,
    get, gets, getting, give, go, goes, going, gone, got, had, has, have, having, he, her, here, hers, him, his, how, however, i, i'd, i'll,
    i'm, i've, in, is, isn't, it, it's, its, itself, just, keep, kind, know, last, least, less, let, let's, like, likely, lot, lots, made,
    make, makes, making, many, may, maybe, me, might, more, most, much, must, my, need, never, new, next, no, not, nothing, now, often, oh,
    ok, okay, once, one, only, other, others, our, own, part, people, per, perhaps, put, quite, rather, really, right, said, same, say,
    says, see, seem, seems, she, should, since, some, something, soon, still, such, sure, take, tell, that, that's, their, them, there,
    there's, these, they, they're, thing, things, think, this, those, though, three, through, time, times, too, two, under, until, upon,
    us, use, used, using, very, want, was, way, we, we'll, we're, we've, well, went, were, what, what's, when, where, whether, which, while,
    who, whole, whom, whose, why, will, won't, work, would, yeah, year, years, yes, you, you'll, you're, you've, your, today, week`,
  strongVerbs: `
    announce[sd]?, launch(?:e[sd])?, release[sd]?, unveil(?:s|ed)?, introduce[sd]?, publishe[sd], reveal(?:s|ed)?, report(?:s|ed),
    acquire[sd]?, buys?, bought, sell(?:s), sold, raise[sd]?, sue[sd]?, ban(?:s|ned), fine[sd], approve[sd]?, reject(?:s|ed), sign(?:s|ed),
    open(?:s|ed), close[sd], ship(?:s|ped), win(?:s), won, beat(?:s), los(?:es|t), cut(?:s), lay(?:s)? off, laid off, hire[sd], resign(?:s|ed),
    appoint(?:s|ed), name[sd], found, discover(?:s|ed), confirm(?:s|ed), den(?:ies|ied), warn(?:s|ed), recall(?:s|ed), halt(?:s|ed), pause[sd],
    cancel(?:s|led|ed), delay(?:s|ed), suspend(?:s|ed), agree[sd], merge[sd], invest(?:s|ed), join(?:s|ed), leave[s], left, die[sd], kill(?:s|ed),
    arrest(?:s|ed), charge[sd], rule[sd], vote[sd], pass(?:es|ed), adopt(?:s|ed), start(?:s|ed), began, begins, end(?:s|ed), rose, fell,
    jump(?:s|ed), drop(?:s|ped), climb(?:s|ed), hit(?:s), reache[sd], set(?:s), built, builds, made, won, develop(?:s|ed), create[sd], propose[sd],
    show(?:s|ed), wrote, writes, rolled out, rolls out, open[- ]sourced?, updated?, updates, add(?:s|ed), bring(?:s), brought, turn(?:s|ed)`,
  weakVerbs: `
    said, says, say, told, tells, plans?, planned, expects?, expected, will, would, could, may, is, are, was, were, has, have, had, makes?,
    lets?, helps?, allows?, offers?, supports?, uses?, gives?, gets?, wants?, argues?, explains?, describes?, believes?, thinks?, calls?`,
  pronouns: `
    it, it's, its, he, he's, she, she's, they, they're, their, his, her, this, that, that's, these, those, both, such, there, there's, here's,
    here, we, we're, we've, i, i'm, i've, you, you're, your, my, our, who, which, what`,
  connectives: `
    but, and, or, so, yet, because, however, although, though, while, still, then, therefore, thus, hence, instead, indeed, actually, in fact,
    of course, for example, for instance, in other words, that is, as a result, in particular, specifically, especially, if, when, once, since,
    until, unless, after, before, according to, based on, compared, unlike, like, with, for, by, to, from, in addition to, even, only, just,
    at the same time, on the other hand, in contrast, meanwhile, now, currently, previously, later, earlier, eventually, finally, first, second,
    third, lastly, not, no, yes, yeah, well, okay, anyway, maybe, perhaps, sure, either, neither, as, at`,
  coinings: [
    '\\b(?:called|named|dubbed|known as|short for|stands for)\\b',
    '\\bis (?:an?|the first)\\b',
  ],
  freshHeads: `
    an?(?= new), a (?:team|group|study|report|company|startup|court|judge|federal), scientists, researchers at, police, china, chinese, russia,
    russian, ukraine, india, indian, japan, japanese, germany, german, france, french, britain, british, the uk, the us, the u.s, the eu,
    european, canada, canadian, australia, australian, israel, iran, korea, south korea, north korea, brazil, mexico, the united, the federal,
    the supreme court, the white house, the senate, the government, lawmakers, regulators, shares (?:of|in), astronomers, doctors, officials in`,
  additions:
    'also, additionally, in addition, moreover, furthermore, plus, besides, another, note that, notably',
  definites: `
    the company, the team, the firm, the group, the model, the models, the tool, the project, the system, the feature, the features, the new,
    the researchers, the authors, the author, the study, the report, the paper, the article, the post, the app, the service, the platform,
    the deal, the move, the decision, the result, the results, the idea, the goal, the plan, the update, the problem, the reason, the point,
    the latest, the other, the first, the second, the same, the rest, the two, users, developers, customers, critics, analysts, experts,
    researchers, officials, executives, investors, some, many, most, all, others, several, one, two, each, every`,
  anaphors:
    'this, that, these, those, it, its, such, the company, the team, the model, the tool, the project, the same, he, she, they, their, his, her',
  closings: `
    stay tuned, remains to be seen, time will tell, we'll see, links? in the, check it out, for more, learn more, read more, available now,
    no word on, did not respond, declined to comment, in the coming (?:weeks|months), later this year, that's it, that's all, the end`,
  cues: `
    next up, next(?=\\p{P}), moving on, up next, in other news, our next story, our (?:first|second|third|final|last|top) story, first up, first off,
    let's (?:move|turn|talk|start|get into|kick), turning to, over to, finally today, and finally, last up, last but not least,
    it's (?:now )?time for, on to, speaking of, elsewhere, switching gears, in business news, in tech news, in sports, story number`,
  greetings: [
    "^(?:hello|hi|hey|howdy|greetings|good (?:morning|afternoon|evening)|welcome|what(?:'s| is)? up)\\b",
    "\\b(?:i'm|i am|this is|my name is) [A-Z][a-z]+\\b.{0,40}\\b(?:and|with|here|news|show|podcast|week|episode)",
    "\\b(?:you're listening to|welcome (?:back )?to|this is the)\\b",
    '\\b(?:for the week of|episode \\d+|edition of|your (?:daily|weekly))\\b',
    '^(?:today|this week) (?:on|in) the (?:show|program|podcast|newsletter)\\b',
  ],
  announcements: [
    "\\b(?:let's|let us) (?:get (?:into|started|to)|dive|jump|go|do)\\b",
    "\\b(?:in this (?:episode|issue|edition)|on today's|here(?:'s| is) what|coming up)\\b",
    '\\b(?:get(?:ting)? into|on to|down to) the news\\b',
  ],
  farewells: [
    "\\bthat(?:'s| is| was)(?: all| it)?(?: for)? (?:the news|for (?:now|today|this week)|the (?:show|week)|it for|all)",
    '\\b(?:thanks|thank you) (?:so much )?for (?:listening|watching|reading|tuning)\\b',
    '\\b(?:see|talk to|catch) you (?:all |again )?(?:next|tomorrow|soon|later|then|on|real)\\b',
    '\\b(?:have a (?:great|good|nice|lovely)|until next|bye|goodbye|take care)\\b',
    "\\b(?:don't forget to|please|be sure to|make sure to|go and|go)\\b.{0,20}\\b(?:subscribe|follow|like|rate|review)\\b",
    '^(?:like|subscribe|rate)\\b.{0,30}\\b(?:subscribe|review|share)\\b',
  ],
  signOffs: [
    "(?:(?:and|so|well|okay|alright),? )*that(?:'s| is| was)(?: all| it)?(?: for)? (?:the news|(?:it |all )?for (?:now|today|this week)|the (?:show|week))\\b",
  ],
  dates: [
    '(?:on |last |this |late |early |yesterday|today)?(?:mon|tues|wednes|thurs|fri|satur|sun)day\\b',
    '(?:on |in |by |since )?(?:january|february|march|april|may|june|july|august|september|october|november|december)\\b',
    '(?:yesterday|today|this (?:week|month|morning)|last (?:week|month|night|year))\\b',
  ],
  attributions: [
    '(?:according to|as reported by|per) [^,]{2,40},',
    '[A-Z][^,.]{1,30} reports(?: that|:|,)',
  ],
  attributionClauses: [
    '(?:according to|as reported by|per) .{2,50}',
    '.{2,30} (?:reports|reported)',
  ],
  leadInClauses: [
    '(?:in|on|at|after|before|during|following|amid|as part of|despite|with) .{2,60}',
  ],
  predicateHeads: 'will, has, have, is, are, was, were, plans, expects',
  asides: `
    sponsored, for example, for instance, in other words, that is, by the way, of course, according to, because, since, while, although, if, when, as,
    to, with, by, but, and, so, however, also, now, then, well, plus, not, yes, no`,
  addresses:
    "you, your, you're, you've, you'll, y'all, folks, friends, listener, listeners, guess what, we all, ask yourself, let's, imagine, remember",
  superlatives:
    'first, largest, biggest, fastest, highest, smallest, most powerful, record, million, billion, trillion, percent, double, triple, times',
  generic: `
    AI, API, APIs, App, GPU, CPU, IT, PC, TV, CEO, CTO, CFO, VR, AR, LLM, LLMs, NLP, SDK, USB, PDF, URL, I, A, OK, US, UK, EU, The, Mr, Mrs, Ms, Dr,
    Monday, Tuesday, Wednesday, Thursday, Friday, Saturday, Sunday, January, February, March, April, May, June, July, August, September,
    October, November, December, English, American, AGI, UI, ID`,
  copulas:
    "is, are, was, were, has, have, had, becomes?, became, makes?, can, can't, won't, will, needs?, gets?, got, goes, went, comes?, came, takes?, took",
  fragmentHeads: [
    '(?:which|who|whose|that|to|and|but|or|nor|with|for|because|than|as|if|when|where|while|of|in|at|by|from|is|are|was|were|has|have|had)\\b',
    '(?:will|would|could|can|be|been|being|not|also|then|so|just|it|its|he|she|they|we|i|this|these|those|their|there|here|\\p{Ll}+ing)\\b',
  ],
  fragmentTails: [
    '\\b(?:said|says|say|that|to|of|and|or|the|a|an|with|for|in|on|at|by|from|is|are|was|were|as|than|but|which|who|if|because|including|such|how|why|what|when|where|not|his|her|its|their|our|your|my|this|these|those|has|have|had|will|would|can|could)',
  ],
  titleMarks: ['', ': '],
};
