/** Irregular forms are written out; what these rules make beyond English does no harm. */
function forms(verb: string): string[] {
  const doubles = verb.endsWith('*');
  const base = doubles ? verb.slice(0, -1) : verb;
  const stem = doubles ? base + base.at(-1) : base;
  const endsInY = /[^aeiou]y$/.test(base);
  const s = /(?:s|x|z|ch|sh|o)$/.test(base) ? `${base}es` : endsInY ? `${base.slice(0, -1)}ies` : `${base}s`;
  const past = base.endsWith('e') ? `${base}d` : endsInY ? `${base.slice(0, -1)}ied` : `${stem}ed`;
  const ing = /[^e]e$/.test(base) ? `${base.slice(0, -1)}ing` : `${stem}ing`;
  return [base, s, past, ing];
}

function list(text: string): string[] {
  return text.trim().split(/\s+/);
}

/**
 * Verbs that describe and that no service is called after. None moves a measure, denies, ends or causes something, and none is an order
 * that does harm.
 */
const VERBS = list(`
  accept accompany account accumulate achieve act adapt address affect align allow analyze anticipate appear apply approach arrive
  assume attempt await base behave bound carry centre change characterize cluster coincide combine compare complete comprise concentrate
  concern conclude conduct confine connect consider consist constrain consume contain contrast converge cope correlate correspond cover
  cross date deal define deliver demonstrate depart depend describe design detect develop deviate differ direct display distribute
  diverge divide dominate echo emit employ encounter endure engage enter equal establish examine exceed* exchange exhibit exist expect
  experience expire explore extend feature figure fit* flag* fluctuate focus form function gather group handle happen highlight hint
  hover imply include incur inform inherit inspect interact interpret involve isolate issue join judge label lag* learn level limit link
  list locate look maintain manifest mark match matter measure meet mention mirror miss modify monitor name near need note notice
  observe obtain occupy occur offer operate outline overlap* participate pass perform persist pertain place point portray possess
  predict present presume proceed process produce progress project provide push qualify quantify question queue range rank reach react
  read realise realize receive reclaim recognise recognize record recur* reflect regard register relate rely remain replace report
  represent request require resemble resolve respect respond restrict return reveal review revolve sample satisfy scatter seem separate
  serve settle shift show signal sit* situate smooth span* specify split* spread stabilise stabilize stack stage stall start state stay
  strain stress strike struggle succeed suffer summarise summarize support surface surround sustain target tend test touch trace track
  transition treat turn understand unfold update use vary view wait want warn warrant watch weigh witness work wrap* yield
`);

const IRREGULAR = list(`
  became begun bore borne broke broken brought built came caught chose chosen dealt did done drew drawn felt found gave given went gone
  had held hit kept knew known laid left let lain lay made meant met put ran saw seen set shown sat slid spent split spread stood stuck
  struck taken took told thought understood underwent woke worn wrote written read standing coming going seeing having being doing
  making taking giving getting putting holding keeping leaving lying running setting standing telling thinking
`);

const ADVERBS = list(`
  abnormally accurately actively actually additionally adequately ahead almost already altogether always approximately apart aside
  atypically away badly briefly broadly chiefly chronologically closely collectively commonly comparably comparatively completely
  concretely considerably consistently constantly conversely correctly correspondingly deeply differently directly disproportionately
  distinctly early easily effectively either elsewhere enough equally especially even evenly eventually ever exceptionally exclusively
  extraordinarily far fairly forward frequently generally gradually greatly heavily highly however immensely importantly independently
  individually inherently initially instantly instead intermittently irregularly jointly just largely lately likewise locally long
  loosely mainly markedly materially meanwhile merely moderately momentarily moreover mostly namely naturally nearby neatly nevertheless
  newly nonetheless normally notably noticeably occasionally often onwards otherwise overall particularly periodically poorly
  predominantly presently primarily principally progressively promptly quickly quietly randomly rapidly rarely rather readily recently
  regularly relatively repeatedly respectively roughly seemingly separately severely sharply shortly significantly silently similarly
  simultaneously slightly smoothly sometimes somewhat soon specifically steadily strikingly strongly substantially suddenly sufficiently
  surprisingly swiftly systematically temporarily together too tremendously typically unexpectedly uniformly unusually usually vastly
  very visibly widely yet
`);

const ADJECTIVES = list(`
  abnormal abrupt acute additional adequate adjacent affected aggressive alarming anomalous apparent appropriate atypical available
  average aware bad basic brief broad busy careful central chronic close coherent collective common comparable comparative complex
  concerning concrete concurrent conservative considerable consistent constant continuous conventional correct corresponding critical
  crucial deep defined delayed dense dependent detailed different difficult direct distant distinct distinguishable distributed
  disproportionate dominant dramatic drastic dynamic eager early easy effective enormous equal erratic essential evident exact
  exceptional excess existing explicit exposed extensive external extra extraordinary extreme fair familiar fast final firm fixed flat
  foremost frequent fresh fundamental further general genuine given global good gradual great grave hard heavy homogeneous huge
  identical immediate important incoming incomplete inconsistent independent indicative indirect individual inherent initial intense
  interesting intermediate intermittent internal involved irregular joint key large late latter leading limited local long loose major
  marked massive mean meaningful median mere mild minor mixed moderate modest momentary narrow natural neat necessary negligible
  neighbouring new normal notable noteworthy noticeable obvious odd old open ordinary outgoing outstanding overall parallel partial
  particular past peculiar periodic plain pronounced poor popular precise predominant present pressing prevalent primary principal
  problematic prolonged prominent proper quick quiet random rapid rare raw ready real reasonable recent recurrent recurring regular
  related relative relevant remarkable repeated representative respective rough routine salient same scattered secondary selected
  sensitive separate serious severe sharp short significant similar simultaneous sizeable sizable slight small smooth solid sparse
  special specific sporadic stable standard static steady steep strange striking strong subsequent substantial subtle successive such
  sudden suitable surprising surrounding suspicious sustained systematic tangible tight timely tiny top transient tremendous typical
  unclear uncommon understandable uneven unexpected unfavourable uniform unprecedented unstable unusual urgent useful usual valid
  various vast visible vital vulnerable weak wide worrying worth worthwhile
`);

const NOUNS = list(`
  ability absence action activity addition advance advantage analysis angle appearance approach area arrival aspect association
  assumption attempt attention background basis behaviour behavior bottleneck boundary bulk burden burst calm capability care category
  chance change character chart choice circumstance circumstances clue cluster combination comparison complaint component concentration
  concern conclusion condition conditions consideration consistency contrast contribution control correlation course coverage curve date
  degradation degree delay departure description detail details detection development deviation difference difficulty dimension
  direction discrepancy distance distribution disturbance disruption drift duration dynamics effort element emphasis episode estimate
  example exception experience exposure expression extent extreme eye feature figure figures finding findings flow focus fluctuation
  fluctuations form fraction frame frequency function gap gaps group guide hand hint history importance impression incident indication
  indications indicator indicators information insight instability interaction interest interval issue issues kind lag length level life
  likelihood limit line link list look magnitude manner margin mark matter maximum means measure measurement measurements mechanism
  middle minimum mode moment movement nature need neighbour neighbourhood night noise note notice observation observations occasion
  occurrence occurrences onset operation operations option order outlier outlook overlap overview pace part parts path pattern patterns
  percentile performance period perspective phase phenomenon picture place plan point points portion position possibility practice
  presence pressure priority problem problems progress property proportion question range rate rates reach reaction reading readings
  recall record records reference relation relationship relevance reliability remainder report reports reproduction requirement response
  responses responsiveness rest restriction review risk role room run sample scale scope section segment sense sequence series set
  severity shape shift sign signature signs similarity situation slice sort span speed spot stage standard start state statement status
  step strain strength stress stretch structure study subject subset success suggestion sum summary surface suspicion symptom symptoms
  system target task tendency term terms test thing things threshold time times timing tolerance top touch trace traces track trend
  trends turn type unit usage use value values variability variance variation variety version view volatility wait watch way ways weight
  width window work
`);

/** Plain words of a report, of which none is a name, a number, a part of a system or a movement. */
export const COMMON_WORDS: readonly string[] = [
  ...VERBS.flatMap((verb) => forms(verb)),
  ...IRREGULAR,
  ...ADVERBS,
  ...ADJECTIVES,
  ...NOUNS,
];
