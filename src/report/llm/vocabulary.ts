import { COMMON_WORDS } from './common-words.ts';

/**
 * The words that a sentence may be made of outside its slots. Free text cannot be policed for invented names, numbers and orders, so there
 * is none: a word that is not here drops its claim, whatever it is. Nouns are few, as anything may be called after them.
 */

/** "affect(s|ed)" is affect, affects, affected. */
function words(text: string): readonly string[] {
  return text
    .trim()
    .split(/\s+/)
    .flatMap((entry) => {
      const [base = '', endings] = entry.split('(');
      return endings === undefined
        ? [base]
        : [
            base,
            ...endings
              .slice(0, -1)
              .split('|')
              .map((ending) => base + ending),
          ];
    });
}

/** Words of grammar. A service that is called like one of them is still no name in a sentence. */
export const GRAMMAR = words(`
  a an the this that these those it its itself their them they which whose where when while as at by for from in into of on onto to with
  within and or but so than is are was were be been being has have had having do does did can could will would should must if whether
  since until during between among across against around toward through per via along like just now also too same other another each any
  some much such own very rather quite well here there what how
`);

/** Anything may be said with these. */
const PLAIN = words(`
  client(s) out successful successfully live lasted lasting tighter wider calmer
  event(s) release(s|d|ing) longer shorter under
  service(s) request(s|ed|ing) call(s|ed|ing|er|ers) caller(s) response(s) respond(s|ed|ing) answer(s|ed|ing) error(s) failure(s) fail(s|ed|ing)
  latency latencies delay(s|ed) traffic load(s) volume rate(s) time timeout(s) window baseline level(s) share(s)
  percentile tail spread change(s|d) changing deployment(s) deploy(s|ed) rollout(s) rollback(s) version(s) configuration
  infrastructure incident(s) onset start(s|ed|ing) begin(s|ning) began begun deviate(s|d) deviating deviation(s) evidence timeline
  pattern(s) message(s) log(s|ged|ging) template(s) metric(s) range bound norm normal usual unusual unusually expected typical
  comparison order point(s|ed|ing) place part(s) amount count size degree extent history past previous similar kind(s) type(s)
  measure(s|d) measurement(s) value(s) effect(s) impact(s|ed) symptom(s) signal(s) anomaly anomalies stretch minute(s) hour(s)
  moment(s) period side way case picture sign(s) endpoint(s) path route(s)
  show(s|ed|n|ing) see(s|n) saw appear(s|ed|ing) occur(s|red|ring) happen(s|ed|ing) remain(s|ed|ing) stay(s|ed|ing) report(s|ed|ing)
  observe(s|d) compare(s|d) affect(s|ed|ing) hit(s|ting) suffer(s|ed|ing) carry carries carried serve(s|d) serving handle(s|d)
  receive(s|d) receiving reach(es|ed) move(s|d) moving differ(s|ed|ing) match(es|ed|ing) agree(s|d) coincide(s|d) fit(s) fitting
  behave(s|d) behaving concern(s|ed) involve(s|d) belong(s) include(s|d) including contain(s|ed) account(s|ed) keep(s) kept get(s) got
  make(s) made take(s) took taken come(s) came go(es) went read(s) run(s) ran running need(s|ed) depend(s|ed|ing) produce(s|d)
  depart(s|ed) leave(s) left put(s) stand(s) stood become(s) became turn(s|ed) mean(s) meant
  affected main mainly largely partly directly closely repeatedly intermittently together alike
  sharp sharply steep steeply strong strongly slight slightly gradual gradually sudden suddenly abrupt abruptly marked markedly
  noticeable noticeably considerable considerably large small big wide broad narrow severe severely heavy heavily moderate moderately
  bad good new fresh recent recently frequent frequently often common rare different distinct separate
  upstream downstream dependent neighbouring neighboring corresponding respective relevant related available worst far
  instead compared outside inside beyond near nearly almost about roughly approximately around exactly likewise similarly meanwhile
  significant significantly dramatic dramatically substantial substantially experience(s|d) experiencing reaching times additional extra
  concentrated problem(s) issue(s) timing applied shortly uncertain uncertainty learn(s|ed|ing) seeing throughout alongside respectively
  ability fully nature notable notably rapid rapidly pronounced sustained persistent spread across seen recorded register(s|ed)
  allow(s|ed) attempt(s|ed) block(s|ed|ing) bring(s) brought complete(s|d) correlate(s|d) correlation correspond(s) cover(s|ed) degrade(s)
  demonstrate(s|d) describe(s|d) encounter(s|ed|ing) exhibit(s|ed|ing) expose(s|d) face(s|d) give(s|n) gave hold(s) held lie(s) maintain(s|ed)
  manifest(s|ed) noted operate(s|d) operating pass(es|ed) perform(s|ed|ing) present(s|ed) provide(s|d) reflect(s|ed) relate(s|d)
  represent(s|ed) require(s|d) shift(s|ed) sit(s) stall(s|ed) struggle(s|d) struggling succeed(s|ed) tend(s) touch(es|ed) track(s|ed)
  vary varies varied warrant(s) witness(ed) concurrently simultaneously additionally initially eventually furthermore moreover overall
  particularly especially primarily specifically tightly consistently continuously constantly briefly visibly essentially generally
  area aspect attention burst(s) context core detail(s) difference direction duration element example factor(s) figure(s) flow focus
  indication(s) indicator(s) interval manner matter observation(s) occurrence(s) outcome output phase position pressure proportion ratio
  reading(s) reliability risk scale sequence situation state status stability step success system(s) target throughput trend unit view
  workload acute adverse anomalous apparent brief clear comparable complete consistent constant continuous current disproportionate
  disproportionately extreme extremely final general important initial intermittent internal key limited local massive massively minor
  modest negative  partial partially particular potential potentially prolonged real serious seriously short specific steady
  subsequent sufficient temporary tight urgent visible poor poorly  previously
  day week line(s) set(s) group(s) band normally usually typically unexpected unexpectedly abnormal abnormally unstable stable
  degraded degradation quality performance health behaviour behavior work(s|ed|ing) use(s|d) using
`);

/** Parts of systems: said freely in an action; anywhere else only when the cited messages speak of them. */
const TECHNICAL = words(`
  timeout(s) quota(s) pool(s) pooled connection(s) thread(s) queue(s|d) backlog buffer(s) memory heap processor disk storage space
  cache(s|d) retry retries retried retrying backoff circuit breaker(s) dependency dependencies server(s) process(es) instance(s)
  replica(s) node(s) host(s) container(s) cluster(s) region(s) zone(s) network database(s) query queries index(es) lock(s|ed) deadlock(s)
  transaction(s) session(s) payload(s) handler(s) code flag(s) capacity headroom saturation saturated saturate(s) exhausted exhaustion
  exhaust(s) contention leak(s|ing) crash(es|ed|ing) restart(s|ed|ing) loop starvation throttling throttled limiter balancer gateway
  proxy certificate(s) expiry migration(s) schema data refused reset broken closed overload(ed) overloaded partition(s) lag
  broker(s) consumer(s) producer(s) topic(s) exporter setting(s) resource(s) garbage collection socket(s) file(s) worker(s) job(s)
`);

/** What a person may be asked to do. */
const ORDERS = words(`
  check verify inspect look review watch monitor trace follow find identify test reproduce roll back revert redeploy pause hold scale
  out add raise reduce increase decrease limit limits limited throttle shed tune adjust extend shorten protect isolate drain ask tell
  note plan schedule ensure prevent avoid fix correct repair improve harden guard validate alert(s) alerting rehearse after before
  again first next then soon immediately until earlier later confirm why which who owner(s) team runbook(s) dashboard(s)
  threshold(s) test(s) canary staging gradual rollout(s) budget(s) own trend cause causes root consider try apply investigate examine
  perform post implement(s|ed) coverage analysis detect(s|ed) automated production necessary needed usage rolling assess evaluate determine
  configure additional size(s) regression(s) strategy procedure(s) rules policy policies autoscaling scaling resilience fallback(s) graceful
  gracefully mitigate mitigation stabilise stabilize temporarily engage logs profile(s) detection proactive earlier stronger
  adding setting tracking instrument instrumentation tracing capture correlate coordinate create dedicated distribute enable establish expand
  gather gate gates guardrail(s) checks manual manually measure migrate move optimise optimize pin prepare prioritise prioritize provision
  quickly rebalance recheck recovery redirect reroute revisit rule(s) safeguard(s) simulate split stress switch tighten toggle upgrade warn
  widen write rework reviewing checking adjusting watching comparing pressure healthy sooner
  analyse analyze please let stop(s) halt continue continues resume restore automate document write record define introduce
`);

/** Words of causation, and so of cause claims alone. */
const CAUSAL = words(`
  cause(s|d) causing because due trigger(s|ed) root origin(s) originate(s|d) originating source led lead(s) leading result(s|ed|ing)
  explain(s|ed) explanation introduce(s|d) responsible culprit reason(s) follow(s|ed|ing) suspect(s|ed) candidate
  attributable attributed linked tied associated stemming underlying initiated primary driver contribute(s|d) contributing cascade(s|d)
  cascading behind regression(s) fault(s) faulty defect(s) most consequence therefore thus hence driven stem(s|med) propagate(s|d) propagating
`);

const UP = words(`
  larger greater bigger
  longer surpass(ed|es) balloon(ed) swell(s|ed) skyrocketed rocketed escalate(s|d) accelerate(s|d) intensified mount(s|ed)
  peak(s|ed|ing) heavier excessive excessively deteriorate(s|d) deteriorating deterioration worsen(s)
  up high highest slow slows slowing slowly rise(s) rose risen rising increase(s|d) increasing climb(s|ed|ing) grow(s|n|ing) grew growth jump(s|ed|ing) spike(s|d) spiking surge(s|d)
  surging soar(s|ed) exceed(s|ed|ing) above more elevated slower slowed worse worsened worsening higher excess increasingly
`);
const DOWN = words(`
  smaller
  shorter under tumbled slump(s|ed) sank plummet(s|ed) slid diminished lessened subsided eased
  down lighter low lowest fall(s|en|ing) fell drop(s|ped|ping) decrease(s|d) decreasing decline(s|d) declining reduced shrink(s|ing) shrank below less fewer
  faster lower lowered dip(s|ped) plunge(s|d) plunging collapse(s|d) collapsing vanish(es|ed) disappear(s|ed) stopped ceased gone silent silence
`);
/** Telling somebody to change something is no statement about how it moved. */
const ORDERED_MOVES = words('up down increase reduce decrease lower raise drop more less higher lower fewer');

const HEDGES = words(`
  likely probably probable possibly possible perhaps may might could suggest(s|ed|ing) indicate(s|d) seem(s|ed) suspect(s|ed) candidate
  appears potential potentially presumably
`);
/** Hedges that say more than INCONCLUSIVE does. */
const STRONG_HEDGES = words('likely probably probable');
const CERTAIN_CAUSES = words(`
  cause(s|d) causing because due trigger(s|ed) led result(s|ed|ing) explain(s|ed) responsible culprit therefore thus hence driven stem(s|med)
  stemming attributable attributed
`);
const NEGATIONS = words('no not never neither nor none nothing without cannot hardly barely unaffected');
const OVER = words(
  'stabilised stabilized settled normalised normalized recovered recovers recovery resolved over end ended ends ending returned healthy subsided',
);
const ONGOING = words('ongoing still continues continuing continue persists persisting currently remains');

/** Words that name what was measured. A sentence may only speak of what its evidence is of. */
const FAMILIES: Record<Family, readonly string[]> = {
  errors: words('error(s) failure(s) fail(s|ed|ing)'),
  latency: words('latency latencies slow slower slowed slowing slows slowly faster percentile tail delay(s|ed)'),
  traffic: words('traffic volume silent silence load(s) throughput workload'),
};
export type Family = 'errors' | 'latency' | 'traffic';

/** Only told apart so that the count of dropped claims says why; none of them is in the vocabulary. */
export const NUMBER_WORDS = new Set(
  words(`
    zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen twenty
    thirty forty fifty sixty seventy eighty ninety hundred(s) thousand(s) million(s) billion(s) dozen(s) score(s) pair couple half halves
    halved quarter(s) third(s) fourth fifth tenth once twice thrice double(d|s) doubling triple(d|s) tripled quadruple(d) quintuple(d)
    tenfold twofold threefold hundredfold manifold percent percentage
  `),
);

/** What the vocabulary has for a purpose is not had by the way. */
const COMMON = COMMON_WORDS.filter((word) => ![CAUSAL, TECHNICAL].some((list) => list.includes(word)) && !NUMBER_WORDS.has(word));

const set = (...lists: (readonly string[])[]): ReadonlySet<string> => new Set(lists.flat());

export const WORDS = {
  grammar: set(GRAMMAR),
  plain: set(COMMON, PLAIN, UP, DOWN, HEDGES, NEGATIONS, OVER, ONGOING),
  technical: set(TECHNICAL),
  orders: set(ORDERS),
  causal: set(CAUSAL),
  up: set(UP),
  down: set(DOWN),
  orderedMoves: set(ORDERED_MOVES),
  hedges: set(HEDGES),
  strongHedges: set(STRONG_HEDGES),
  certainCauses: set(CERTAIN_CAUSES),
  negations: set(NEGATIONS),
  over: set(OVER),
  ongoing: set(ONGOING),
  expectation: set(words('expected usual normal typical baseline norm')),
} as const;

export function familiesOf(word: string): Family[] {
  return (Object.keys(FAMILIES) as Family[]).filter((family) => FAMILIES[family].includes(word));
}

/** What the prompt says of it: the classes that have a rule, and not the words that anybody would use. */
export const VOCABULARY_TEXT = [
  `only in a cause: ${CAUSAL.join(' ')}`,
  `in an action, and elsewhere only when the text of the cited evidence has the word: ${[...new Set(TECHNICAL)].join(' ')}`,
  `direction up: ${UP.join(' ')}`,
  `direction down: ${DOWN.join(' ')}`,
].join('\n');

/** Words that may stand before "service" and are no name of one. */
export const SERVICE_WORDS: ReadonlySet<string> = new Set([
  ...GRAMMAR,
  ...words('affected upstream downstream dependent neighbouring related calling called failing slow whole same new similar'),
]);
