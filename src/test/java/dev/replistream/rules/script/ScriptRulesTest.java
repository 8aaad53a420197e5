package dev.replistream.rules.script;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.replistream.Eventually;
import dev.replistream.api.InMemoryStore;
import dev.replistream.api.JsonValue;
import dev.replistream.api.RejectedException;
import dev.replistream.rules.MutatorFailedException;
import dev.replistream.rules.MutatorsException;
import dev.replistream.rules.RulesAwayException;
import io.helidon.metrics.api.Counter;
import io.helidon.metrics.api.MeterRegistry;
import io.helidon.metrics.api.Tag;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(60)
class ScriptRulesTest {
  private static final MeterRegistry METERS = MeterRegistry.create();

  /// Longer than anything takes on a busy machine.
  private static final long LONG_MILLIS = 20_000;

  @TempDir Path folder;
  private final InMemoryStore store = new InMemoryStore();
  private @Nullable ScriptRules rules;

  @AfterEach
  void close() {
    if (rules != null) {
      rules.close();
    }
  }

  private ScriptRules open(boolean isDevelopment) {
    return open(isDevelopment, Duration.ofMillis(300));
  }

  private ScriptRules open(boolean isDevelopment, Duration maxCpu) {
    return ScriptRules.open(
        new ScriptSettings(
            folder.resolve("mutators.js"), maxCpu, 64 << 20, 5_000_000, isDevelopment),
        names -> {},
        METERS);
  }

  private ScriptRules loaded() {
    return Objects.requireNonNull(rules);
  }

  private void write(String name, String text) throws IOException {
    Path file = folder.resolve(name);
    Files.createDirectories(file.getParent());
    Files.writeString(file, text);
  }

  private void load(String mutators) throws IOException {
    write("mutators.js", "export const mutators = {\n" + mutators + "\n};\n");
    rules = open(false, Duration.ofSeconds(5)); // a cold engine on a busy machine
  }

  private void run(String userId, String name, String args) {
    store.run(userId, loaded().find(name).orElseThrow(), JsonValue.parse(args));
  }

  private void run(String name) {
    run("alice", name, "null");
  }

  private String view() {
    return JsonValue.object(store.view("alice")).toJson();
  }

  private static void assertFails(ThrowingCallable run, String message, String position) {
    assertThatThrownBy(run)
        .isInstanceOfSatisfying(
            MutatorFailedException.class,
            e -> {
              assertThat(e.getMessage()).contains(message);
              assertThat(e.position().orElse("")).startsWith(position);
            });
  }

  @Test
  void aMutatorReadsAndWritesAsInTheBrowser() throws IOException {
    load(
        """
        async add(tx, {id, text}) {
          await tx.set(`todo/${id}`, {id, text, done: false});
        },
        async check(tx, {id}) {
          const todo = await tx.get(`todo/${id}`);
          await tx.put(`todo/${id}`, {...todo, done: true});
        },
        async count(tx) {
          let done = 0;
          for await (const todo of tx.scan({prefix: 'todo/'})) if (todo.done) done++;
          await tx.set('count', {
            done,
            keys: await tx.scan({prefix: 'todo/'}).keys().toArray(),
            first: await tx.scan({prefix: 'todo/', limit: 1}).toArray(),
            rest: await tx.scan({prefix: 'todo/', start: {key: 'todo/a', exclusive: true}}).entries().toArray(),
            empty: await tx.isEmpty(), has: await tx.has('todo/b'), gone: (await tx.get('nothing')) === undefined,
            deleted: [await tx.del('todo/a'), await tx.del('todo/a')],
            who: [tx.user, tx.clientID, tx.mutationID, tx.claims.sub, tx.reason, tx.location, tx.environment]});
        }\
        """);
    run("alice", "add", "{\"id\":\"a\",\"text\":\"x\"}");
    run("alice", "add", "{\"id\":\"b\",\"text\":\"y\"}");
    run("alice", "check", "{\"id\":\"a\"}");
    run("count");

    assertThat(view())
        .isEqualTo(
            """
            {"count":{"done":1,"keys":["todo/a","todo/b"],"first":[{"id":"a","text":"x","done":true}],\
            "rest":[["todo/b",{"id":"b","text":"y","done":false}]],"empty":false,"has":true,"gone":true,\
            "deleted":[true,false],"who":["alice","client of alice",4,"alice","authoritative","server","server"]},\
            "todo/b":{"id":"b","text":"y","done":false}}\
            """);
  }

  @Test
  void aScanSeesWhatIsWrittenAheadOfIt() throws IOException {
    load(
        """
        async grow(tx) {
          for (let i = 10; i < 30; i++) await tx.set(`k${i}`, i);
          const seen = [];
          for await (const key of tx.scan({prefix: 'k'}).keys()) {
            seen.push(key);
            if (key === 'k10') { await tx.del('k11'); await tx.set('k12x', 0); await tx.set('k0', 0); }
            if (key === 'k29') await tx.set('k99', 0);
            if (key.length === 3) await tx.del(key);
          }
          await tx.set('seen', seen.join(' '));
        }\
        """);
    run("grow");

    assertThat(store.view("alice"))
        .containsEntry(
            "seen",
            JsonValue.of(
                "k10 k12 k12x k13 k14 k15 k16 k17 k18 k19 k20 k21 k22 k23 k24 k25 k26 k27 k28 k29 k99"));
  }

  @Test
  void roomsAndRightsAreThoseOfTheCaller() throws IOException {
    load(
        """
        async make(tx, {id}) {
          await tx.rooms.create(id);
          await tx.set('word', 'open', {room: id});
        },
        async read(tx, {id}) { await tx.set('read', await tx.get('word', {room: id})); },
        async knock(tx, {id, word}) {
          if ((await tx.unrestricted.get('word', {room: id})) !== word) throw Object.assign(new Error('not the word'), {code: 'wrong'});
          await tx.unrestricted.rooms.put(id, tx.user, 'writer');
        },
        async list(tx) { await tx.set('list', [await tx.rooms.list(), (await tx.rooms.members('r')).map(each => each.userId)]); },
        async link(tx) { await tx.set('link', (await tx.rooms.createLink('r', 'reader', {uses: 3, expiresIn: 60})).length > 10); },
        async catching(tx) {
          try { await tx.rooms.create('r'); } catch (error) { await tx.set('caught', [error.name, typeof error.code, error instanceof Error]); }
        }\
        """);
    run("alice", "make", "{\"id\":\"r\"}");

    assertThatThrownBy(() -> run("bob", "read", "{\"id\":\"r\"}"))
        .isInstanceOf(RejectedException.class);
    assertThatThrownBy(() -> run("bob", "knock", "{\"id\":\"r\",\"word\":\"sesame\"}"))
        .isInstanceOfSatisfying(
            RejectedException.class,
            e ->
                assertThat(e.code().orElseThrow() + e.getMessage()).isEqualTo("wrongnot the word"));
    run("bob", "knock", "{\"id\":\"r\",\"word\":\"open\"}");
    run("bob", "read", "{\"id\":\"r\"}");
    run("list");
    run("link");
    run("catching");

    assertThat(store.view("bob")).containsEntry("read", JsonValue.of("open"));
    assertThat(view())
        .isEqualTo(
            "{\"caught\":[\"RejectedError\",\"string\",true],\"link\":true,"
                + "\"list\":[[{\"id\":\"r\",\"role\":\"owner\"}],[\"alice\",\"bob\"]],\"word\":\"open\"}");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          args.missing.deep                                     | Cannot read property              | mutators.js:3:
          null.x                                                | Cannot read property              | mutators.js:3:
          throw new Error('sold out')                           | Error: sold out                   | mutators.js:3:
          nowhere()                                             | nowhere is not defined            | mutators.js:3:
          await tx.set('a', 1 / 0)                              | Infinity is not JSON              | mutators.js:3:
          await tx.set('a', {b: [NaN]})                         | NaN is not JSON                   | mutators.js:3:
          await tx.set('a', undefined)                          | the value is not JSON             | mutators.js:3:
          await tx.set('a', 1n)                                 | BigInt                            | mutators.js:3:
          await tx.get(1)                                       | a key has to be a string          | mutators.js:3:
          await tx.scan({indexName: 'i'}).toArray()             | no indexes                        | mutators.js:3:
          const f = n => f(n + 1) + 1; f(0)                     | call stack                        | mutators.js:3:
          await new Promise(() => {})                           | nothing will settle               | mutators.js
          setTimeout(() => {}, 1)                               | setTimeout is not defined         | mutators.js:3:
          await fetch('http://127.0.0.1')                       | fetch is not defined              | mutators.js:3:
          await import('../outside.js')                         | not beneath the folder            | mutators.js
          'x'.repeat(2 ** 28)                                   | Invalid string length             | mutators.js:3:
          new Uint8Array(2 ** 30)                               | length                            | mutators.js:3:
          throw 'a text'                                        | a text                            |
          """)
  void aBugFailsWithItsPosition(String code, String message, String position) throws IOException {
    write(
        "mutators.js",
        "export const mutators = {\nasync bug(tx, args) { await tx.set('before', 1);\n"
            + code
            + "\n}};");
    rules = open(false);

    assertThatThrownBy(() -> run("alice", "bug", "{}"))
        .isInstanceOfSatisfying(
            MutatorFailedException.class,
            e -> {
              assertThat(e.getMessage()).contains(message);
              assertThat(e.position().orElse("")).startsWith(position == null ? "" : position);
            });
    assertThat(view()).isEqualTo("{}");
  }

  @Test
  void aBugOfAFunctionThatIsNotAsyncFailsTheSameWay() throws IOException {
    load(
        "bug(tx, args) { return args.a.b.c; },\nno(tx) { throw Object.assign(new Error('no'), {code: 'x'}); }");

    assertFails(
        () -> run("alice", "bug", "{}"), "TypeError: Cannot read property 'b'", "mutators.js:2:");
    assertThatThrownBy(() -> run("no")).isInstanceOf(RejectedException.class).hasMessage("no");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "for (;;);",
        "for (;;) await null;",
        "for (;;) try { for (;;); } catch { continue; }",
        "for (;;) try { await tx.get('a'); } catch { continue; }",
        "try { for (;;); } finally { for (;;); }",
        "const f = () => { try { f(); } finally { f(); } }; f();",
        "const f = () => { try { f(); } catch { f(); } }; f();",
        "function* f() { try { yield* f(); } finally { yield* f(); } } [...f()];",
        "const o = {get x() { try { return this.x; } finally { this.x; } }}; o.x;",
        "const f = () => { try { [1].map(f); } finally { [1].map(f); } }; f();",
        "const again = () => Promise.resolve().then(again); await again();",
        "/^(a+)+\\1c/.test('a'.repeat(40) + 'b');",
        "const a = []; for (;;) a.push({n: a.length});",
        "let s = 'x'; for (;;) { s += s; if (s.length > 1e7) s = 'x'; }",
        "const m = new Map(); for (let i = 0; ; i++) m.set(i, 'v' + i);",
        "for (;;) await tx.set('a', 'b'.repeat(1000));",
        "for (;;) for await (const each of tx.scan()) ;",
        "[...Array(1e7).keys()].sort(() => Math.random() - 0.5); for (;;);",
        "let n = 3n; for (;;) n = n * n;",
        "JSON.parse('['.repeat(1e6));",
        "new Array(2 ** 29).fill(0);",
        "Array.from({length: 2 ** 29}, () => ({}));",
        "'x'.padEnd(2 ** 24).split('');for(;;);",
        "while (true) { console.log('x'); }",
        "class A extends Promise { then(f) { for (;;); } } await new A(() => {});",
        "({toJSON() { for (;;); }}); await tx.set('a', {toJSON() { for (;;); }});",
        "throw {get code() { for (;;); }};",
        "throw new Proxy(new Error(), {get() { for (;;); }});"
      })
  void whatTakesTooMuchIsEndedAndTheNextOnesRun(String code) throws IOException {
    write(
        "mutators.js",
        "export const mutators = {async good(tx) { await tx.set('good', 1); },\nasync bad(tx) {\nawait tx.set('before', 1);\n"
            + code
            + "\n}};");
    rules = open(false);
    run("good");
    for (int i = 0; i < 2; i++) {
      assertThatThrownBy(() -> run("bad")).isInstanceOf(MutatorFailedException.class);
      assertThat(Thread.currentThread().isInterrupted()).isFalse();
      run("good");
    }

    assertThat(view()).isEqualTo("{\"good\":1}");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "Array.from({length: 2 ** 32 - 1})",
        "Array.prototype.indexOf.call({length: 2 ** 53 - 1}, 1)",
        "Array.prototype.forEach.call({length: 2 ** 53 - 1}, () => {})",
        "Array.prototype.slice.call(new Proxy({length: 2 ** 40}, {}))",
        "Array.prototype.splice.call({get length() { return 2 ** 50; }}, 0, 1)",
        "Array(2 ** 25).shift()",
        "Array(2 ** 25).toSorted()",
        "[].concat(...Array(1000).fill(Array(1e6)))",
        "({...'x'.repeat(2 ** 22)})",
        "const {a, ...rest} = Array(2 ** 20).fill(0)",
        "(({a, ...rest}) => rest)('x'.repeat(2 ** 22))",
        "Object.assign({}, 'x'.repeat(2 ** 22))",
        "Object.keys('x'.repeat(2 ** 22))",
        "Object.getOwnPropertyDescriptors(Array(2 ** 20).fill(0))",
        "Reflect.ownKeys(new String('x'.repeat(2 ** 22)))",
        "new Uint8Array(2 ** 21)",
        "new ArrayBuffer(0, {maxByteLength: 2 ** 30})",
        "'a'.repeat(2 ** 22).indexOf('a'.repeat(2 ** 21) + 'b')",
        "'a'.repeat(2 ** 22).split('a'.repeat(2 ** 21) + 'b')",
        "'x'.replace('x', '$$'.repeat(2 ** 20))",
        "'\u0130'.repeat(2 ** 22).toLowerCase()",
        "'\u0390'.repeat(2 ** 22).toUpperCase()",
        "'\ufdfa'.repeat(2 ** 22).normalize('NFKD')",
        "'x'.toLocaleUpperCase({length: 2 ** 53 - 1})",
        "Intl.getCanonicalLocales({length: 2 ** 53 - 1})",
        "new RegExp('(x|y)*'.repeat(2000))",
        "Number('0x' + 'f'.repeat(2 ** 21))",
        "2n ** 1_000_000_000n",
        "3n ** 10_000_000n",
        "let n = 2n; n **= 1_000_000_000n",
        "Object(2n) ** {valueOf: () => 1_000_000_000n}",
        "1n << 1_000_000_000n",
        "let n = 1n; n >>= -1_000_000_000n",
        "BigInt('9'.repeat(2 ** 21))",
        "BigInt.asUintN(2 ** 30, -1n)"
      })
  @Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
  void whatIsTooMuchForOneStepIsRefusedBeforeItIsDone(String code) throws IOException {
    load(
        "async caught(tx) { try { %s; } catch (error) { await tx.set('name', error.name); } },\nasync bad(tx) {\n%s\n}"
            .formatted(code, code));

    assertFails(() -> run("bad"), "RangeError: ", "mutators.js:");
    run("caught");
    assertThat(view()).isEqualTo("{\"name\":\"RangeError\"}");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          cpu        | for (;;);
          memory     | const all = []; for (;;) all.push('x'.repeat(1e5) + all.length)
          statements | for (let i = 0; i < 1e8; i++) { i; i; }
          depth      | const f = n => f(n + 1) + 1; f(0)
          step       | 2n ** 1_000_000_000n
          step       | 'x'.repeat(2 ** 23)
          step       | new Uint8Array(2 ** 23)
          step       | Array.from({length: 2 ** 23})
          none       | throw new RangeError('of the rule')
          """)
  void whatFailsAtALimitIsCounted(String limit, String code) throws IOException {
    write("mutators.js", "export const mutators = {async bad(tx) { %s }};".formatted(code));
    rules = open(false, Duration.ofMillis(limit.equals("cpu") ? 50 : 30_000));

    List<String> limits = List.of("cpu", "memory", "statements", "depth", "step");
    List<Long> before = limits.stream().map(ScriptRulesTest::exceeded).toList();

    assertThatThrownBy(() -> run("bad")).isInstanceOf(MutatorFailedException.class);

    for (int i = 0; i < limits.size(); i++) {
      String each = limits.get(i);
      assertThat(exceeded(each) - before.get(i)).as(each).isEqualTo(each.equals(limit) ? 1 : 0);
    }
  }

  private static long exceeded(String limit) {
    return METERS
        .getOrCreate(
            Counter.builder("replistream_mutator_limit").tags(List.of(Tag.create("limit", limit))))
        .count();
  }

  @Test
  void noTextOfAUserIsTakenForAPosition() throws IOException {
    load("async bad(tx, text) {\nthrow new Error(text); }");

    assertFails(
        () -> run("alice", "bad", "\"x\\n    at made (up.js:1:1)\\n    at mutators.js:9:9\""),
        "Error: x",
        "mutators.js:3:");
  }

  @Test
  void whatIsMeasuredDoesTheSameAsElsewhere() throws IOException {
    load(
        """
        async all(tx) {
          const {a, ...rest} = {a: 1, b: 2, c: [3]};
          const f = ({b, ...more}, {...all} = 'xy') => [b, more, all];
          let n = 3n; n **= 2n; let m = 1; m <<= 4; let k = -9; k >>= 1;
          const like = {length: 2, 0: 'x', 1: 'y'};
          class List extends Array {}
          await tx.set('a', [
            rest, f(rest), {...'ab', ...[1], ...null, ...{z: 1}}, `${n}`, m, k, 2 ** 10, `${1n << 3n} ${-9n >> 1n} ${8n >> -1n}`, (() => { try { return 2n ** 3; } catch (e) { return e.name; } })(),
            Array.from(like), Array.prototype.map.call(like, x => x + x), Array.prototype.slice.call('abc', 1), List.from(like) instanceof List, new List(1, 2).map(x => x) instanceof List,
            Array.from(new Set([1, 1, 2])), [3, 1, 2].toSorted(), Array.prototype.concat.call([1], [2], 3), Array.from.length, [].sort.name, `${[].slice}`.includes('native code'),
            Object.keys('ab'), Object.assign({}, [1, 2]), 'Straße'.toUpperCase(), 'x'.replace('x', '$&$&'), Number('0x10'), BigInt.asUintN(8, -1n) === 255n, 'a'.indexOf(), [..."ab"].indexOf('b')]);
          const draft = new Proxy([3, 1, 2], {get: (target, key) => Reflect.get(target, key)});
          await tx.set('b', [draft.slice(1), draft.sort(), draft.indexOf(2), Array.isArray(draft), [].concat(draft)]);
        }\
        """);
    run("all");

    assertThat(view())
        .isEqualTo(
            """
            {"a":[{"b":2,"c":[3]},[2,{"c":[3]},{"0":"x","1":"y"}],{"0":1,"1":"b","z":1},"9",16,-5,1024,"8 -5 16","TypeError",\
            ["x","y"],["xx","yy"],["b","c"],true,true,[1,2],[1,2,3],[1,2,3],1,"sort",true,["0","1"],{"0":1,"1":2},"STRASSE","xx",16,true,-1,1],\
            "b":[[1,2],[1,2,3],1,true,[1,2,3]]}\
            """);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "globalThis.kept = 1",
        "Array.prototype.push = () => 1",
        "Object.prototype.kept = 1",
        "Promise.prototype.then = () => 1",
        "JSON.kept = 1",
        "Object.getPrototypeOf([].values().map(each => each)).kept = 1",
        "Object.getPrototypeOf(Iterator.from({next() {}})).kept = 1",
        "Object.getPrototypeOf(tx).kept = 1",
        "Object.getPrototypeOf(tx).get.kept = 1",
        "Object.getPrototypeOf(async function () {}).kept = 1",
        "Error.prototype.name = 'kept'",
        "crypto.kept = 1",
        "console.log.kept = 1",
        "Symbol.kept = 1",
        "Intl.DateTimeFormat.prototype.kept = 1",
        "Object.getPrototypeOf(tx.scan().values()).kept = 1"
      })
  void whatAllMutationsShareIsFrozen(String code) throws IOException {
    load("async keep(tx) { " + code + "; }");

    assertThatThrownBy(() -> run("keep"))
        .isInstanceOf(MutatorFailedException.class)
        .hasMessageContaining("TypeError");
  }

  /// From instances of all kinds to whatever can be reached from their prototypes.
  @Test
  void whateverCanBeReachedFromAnyInstanceIsFrozen() throws IOException {
    load(
        """
        async walk(tx) {
          const segments = new Intl.Segmenter('en').segment('a b');
          const entries = async function* () {};
          const made = [
            {}, [], 'a', 1, 1n, true, Symbol.iterator, () => {}, class {}, function* () {}, async () => {}, entries, Object.getPrototypeOf((function* () {})()), Object.getPrototypeOf(entries()), (async () => {})(),
            [][Symbol.iterator](), [].entries(), new Map([[1, 2]]).entries(), new Set([1]).values(), 'a'[Symbol.iterator](), 'aa'.matchAll(/a/g), new Uint8Array(1).values(), /a/, /a/.exec('a'), /a/d.exec('a').indices,
            [1].values().map(x => x), [1].values().flatMap(x => [x]), Iterator.from({next() {}}), Iterator.from([1]), segments, segments[Symbol.iterator](), segments.containing(0),
            new Date(), new Map(), new Set(), new WeakMap(), new WeakSet(), new WeakRef({}), new FinalizationRegistry(() => {}), new Proxy({}, {}), Proxy.revocable({}, {}), new ArrayBuffer(8), new DataView(new ArrayBuffer(8)),
            ...[Int8Array, Uint8Array, Uint8ClampedArray, Int16Array, Uint16Array, Int32Array, Uint32Array, Float32Array, Float64Array, BigInt64Array, BigUint64Array].map(each => new each(1)),
            ...[Error, TypeError, RangeError, SyntaxError, ReferenceError, URIError, EvalError].map(each => new each('x')), new AggregateError([]), new TextEncoder(), new TextDecoder(), Promise.withResolvers(), (x => x`a`)(parts => parts),
            new Intl.NumberFormat(), new Intl.NumberFormat().format, new Intl.NumberFormat().formatToParts(1), new Intl.DateTimeFormat(), new Intl.DateTimeFormat().format, new Intl.Collator(), new Intl.Collator().compare, new Intl.PluralRules(),
            new Intl.ListFormat(), new Intl.RelativeTimeFormat(), new Intl.DisplayNames('en', {type: 'region'}), new Intl.Locale('en'), new Intl.Segmenter(), (function () { return arguments; })(), (function () { 'use strict'; return arguments; })(),
            tx, tx.rooms, tx.unrestricted, tx.scan(), tx.scan().values(), tx.scan().toArray(), crypto, console, console.log, globalThis, import('./mutators.js'), Reflect, JSON, Math, Intl, Atomic, new Function('return this')(),
          ];
          try { await tx.get(''); } catch (error) { made.push(error); }
          try { null.x; } catch (error) { made.push(error); }
          const seen = new Set();
          const waiting = [];
          const found = value => {
            if (Object(value) === value && !seen.has(value)) { seen.add(value); waiting.push(value); }
          };
          made.forEach(each => found(Object.getPrototypeOf(Object(each))));
          const open = [];
          while (waiting.length > 0) {
            const object = waiting.pop();
            found(Object.getPrototypeOf(object));
            if (!Object.isFrozen(object)) open.push(`${Object.prototype.toString.call(object)} ${Reflect.ownKeys(object).map(String)}`);
            for (const descriptor of Object.values(Object.getOwnPropertyDescriptors(object))) [descriptor.value, descriptor.get, descriptor.set].forEach(found);
            for (const key of Object.getOwnPropertySymbols(object)) found(Object.getOwnPropertyDescriptor(object, key).value);
          }
          await tx.set('open', open);
          await tx.set('many', seen.size > 600);
        }
        }; const Atomic = typeof Atomics; export const more = {\
        """);
    run("walk");

    assertThat(view()).isEqualTo("{\"many\":true,\"open\":[]}");
  }

  @Test
  void nothingIsKeptOfAnEarlierMutation() throws IOException {
    load(
        """
        async keep(tx) { keptTx = tx; keptScan = tx.scan(); /(s)ecret/.test('secret'); },
        async use(tx) {
          const told = [RegExp.$1 ?? ''];
          for (const each of [() => keptTx.set('late', 1), () => keptScan.toArray(), () => keptTx.rooms.create('late'), () => keptTx.unrestricted.get('x')]) {
            try { await each(); told.push('worked'); } catch (error) { told.push(error.message); }
          }
          await tx.set('told', told);
        },
        async late(tx) { (async () => { for (let i = 0; i < 9; i++) await null; await tx.set('too late', 1); })().catch(() => {}); }
        }; let keptTx, keptScan; export const more = {\
        """);
    run("keep");
    run("use");
    run("late");

    assertThat(view())
        .isEqualTo(
            "{\"told\":[\"\",\"Transaction is closed\",\"Transaction is closed\",\"Transaction is closed\",\"Transaction is closed\"]}");
  }

  @Test
  void codeThatLibrariesHaveRunsAlthoughIntrinsicsAreFrozen() throws IOException {
    load(
        """
        async all(tx) {
          class NotFound extends Error { constructor(m) { super(m); this.name = 'NotFound'; this.message = m + '!'; } }
          function Old() {} Old.prototype.constructor = Old; Old.prototype.toString = function () { return 'old'; };
          function Dog() { Error.call(this); this.constructor = Dog; this.name = 'Dog'; } Dog.prototype = Object.create(Error.prototype); Dog.prototype.constructor = Dog;
          const plain = {}; plain.toString = () => 'plain'; plain.valueOf = () => 1; plain.hasOwnProperty = 1;
          const list = [1]; list.toString = () => 'list';
          await tx.set('a', [new NotFound('x').name, new NotFound('x').message, String(new Old()), new Dog().name, `${plain}`, `${list}`, Object.keys(plain)]);
          await tx.set('b', [typeof crypto.randomUUID(), crypto.getRandomValues(new Uint8Array(4)).length, new Intl.NumberFormat('en').format(1234.5), 'ä'.localeCompare('b') < 0, new Date(0).toISOString(), typeof new TextEncoder()]);
        }\
        """);
    run("all");

    assertThat(view())
        .isEqualTo(
            """
            {"a":["NotFound","x!","old","Dog","plain","list",["toString","valueOf","hasOwnProperty"]],\
            "b":["string",4,"1,234.5",true,"1970-01-01T00:00:00.000Z","object"]}\
            """);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          export const mutators = {\\n  async a(tx { }\\n}          | mutators.js:2:
          export const mutators = {a: nowhere};                      | mutators.js:1:29: ReferenceError: nowhere
          import './missing.js'; export const mutators = {a() {}};   | missing.js
          import '../outside.js'; export const mutators = {a() {}};  | not beneath the folder
          import 'zod'; export const mutators = {a() {}};            | zod
          import 'https://x.example/y.js'; export const mutators={a(){}}; | https
          import './broken.js'; export const mutators = {a() {}};    | broken.js:1:
          export const rules = {};                                   | mutators.js: it exports no `mutators`
          export const mutators = {};                                | has no function
          export default 1;                                          | mutators.js: it exports no `mutators`
          throw new Error('at the top')                              | mutators.js:1:7: Error: at the top
          await new Promise(() => {}); export const mutators={a(){}};| mutators.js
          await Promise.reject(new Error('late'));                   | late
          for (;;);                                                  | statements
          module.exports = {}                                        | module is not defined
          """)
  void aFileThatDoesNotLoadIsRefusedInOneLine(String text, String message) throws IOException {
    write("mutators.js", text.replace("\\n", "\n"));
    write("broken.js", "export const = 1;");

    assertThatThrownBy(() -> rules = open(false))
        .isInstanceOf(MutatorsException.class)
        .hasMessageContaining(message)
        .hasMessageNotContaining("\n");
  }

  @Test
  void modulesOfTheFolderAreImported() throws IOException {
    write(
        "lib/text.js",
        "import {dot} from '../dot.mjs'; export const short = text => text.slice(0, 3) + dot;");
    write("dot.mjs", "export const dot = '.';");
    write(
        "mutators.js",
        "import {short} from './lib/text.js'; export default {async a(tx) { const {dot} = await import('./dot.mjs'); await tx.set('a', short('long') + dot); }, b: 1};");
    rules = open(false);
    run("a");

    assertThat(loaded().names()).containsExactly("a");
    assertThat(loaded().find("b")).isEmpty();
    assertThat(view()).isEqualTo("{\"a\":\"lon..\"}");
  }

  @Test
  void inDevelopmentModeAChangeIsReadAndOneThatDoesNotLoadIsNot() throws IOException {
    write("part.js", "export const n = 1;");
    write(
        "mutators.js",
        "import {n} from './part.js'; export const mutators = {async a(tx) { await tx.set('a', n); }};");
    rules = open(true);
    run("a");
    assertThat(view()).isEqualTo("{\"a\":1}");

    write("part.js", "export const n = 22;");
    Eventually.holds(
        "the part is read again",
        () -> {
          run("a");
          return view().equals("{\"a\":22}");
        });
    write("mutators.js", "export const mutators = {");
    write("part.js", "export const n = 333;");
    write(
        "mutators.js",
        "import {n} from './part.js'; export const mutators = {async a(tx) { await tx.set('a', n + 1); }, async b() {}};");
    Eventually.holds(
        "the whole is read again",
        () -> {
          run("a");
          return view().equals("{\"a\":334}");
        });
    assertThat(loaded().find("b")).isPresent();
  }

  @Test
  void aNameThatIsTakenIsRefused() throws IOException {
    write("mutators.js", "export const mutators = {a() {}};");

    assertThatThrownBy(() ->
            ScriptRules.open(
                new ScriptSettings(
                    folder.resolve("mutators.js"),
                    Duration.ofSeconds(1),
                    1 << 26,
                    1_000_000,
                    false),
                names -> {
                  throw new MutatorsException("taken: " + names);
                },
                METERS))
        .hasMessage("taken: [a]");
  }

  @Test
  void manyThreadsRunMutationsAtATime() throws IOException, InterruptedException {
    load(
        "async add(tx, n) { let sum = 0; for (let i = 0; i < 1000; i++) sum += i; await tx.set(`k${n}`, sum); }");
    Thread[] threads = new Thread[8];
    InMemoryStore[] stores = new InMemoryStore[threads.length];
    for (int i = 0; i < threads.length; i++) {
      InMemoryStore own = new InMemoryStore();
      stores[i] = own;
      threads[i] =
          Thread.ofPlatform()
              .start(() -> {
                for (int n = 0; n < 20; n++) {
                  own.run("u", loaded().find("add").orElseThrow(), JsonValue.of(n));
                }
              });
    }
    for (Thread each : threads) {
      each.join();
    }

    for (InMemoryStore each : stores) {
      assertThat(each.view("u")).hasSize(20).containsEntry("k19", JsonValue.of(499_500));
    }
  }

  /// Writes a version whose three parts all know its number: the whole, what it imports, and what
  /// it imports as it runs.
  private void writeVersion(int n) throws IOException {
    write("part-%d.js".formatted(n), "export const n = %d;".formatted(n));
    write("late-%d.js".formatted(n), "export const n = %d;".formatted(n));
    write(
        "next.js",
        """
        import {n} from './part-%1$d.js';
        const own = %1$d;
        export const mutators = {
          async version(tx) {
            await tx.set('a', own);
            let sum = 0;
            for (let i = 0; i < 2000; i++) sum += i;
            await tx.set('b', n);
            await tx.set('c', (await import('./late-%1$d.js')).n);
          },
        };
        """
            .formatted(n));
    Files.move(
        folder.resolve("next.js"),
        folder.resolve("mutators.js"),
        StandardCopyOption.ATOMIC_MOVE,
        StandardCopyOption.REPLACE_EXISTING);
  }

  @Test
  void whileItIsReadAgainEachMutationRunsWholeByTheOldOrTheNewOne() throws Exception {
    int versions = 3;
    int runners = 2;
    writeVersion(1);
    rules = open(true, Duration.ofSeconds(5));
    AtomicInteger reached = new AtomicInteger();
    AtomicInteger mostContexts = new AtomicInteger();
    List<Future<Integer>> runs = new ArrayList<>();
    try (ExecutorService threads = Executors.newFixedThreadPool(runners)) {
      for (int i = 0; i < runners; i++) {
        runs.add(
            threads.submit(() -> {
              InMemoryStore own = new InMemoryStore();
              int count = 0;
              for (int latest = 0; latest < versions; count++) {
                own.run("u", loaded().find("version").orElseThrow(), JsonValue.ofNull());
                int version = (int) Objects.requireNonNull(own.view("u").get("a")).asLong();
                JsonValue n = JsonValue.of(version);
                assertThat(own.view("u")).isEqualTo(Map.of("a", n, "b", n, "c", n));
                assertThat(version).isGreaterThanOrEqualTo(latest);
                latest = version;
                reached.accumulateAndGet(version, Math::max);
                mostContexts.accumulateAndGet(loaded().contexts(), Math::max);
              }
              return count;
            }));
      }
      write("mutators.js", "export const mutators = {};");
      Eventually.holds("one without mutators is refused", () -> loaded().staleness().isPresent());
      for (int version = 2; version <= versions; version++) {
        writeVersion(version);
        int n = version;
        Eventually.holds(
            "version " + n, () -> reached.get() >= n || runs.stream().anyMatch(Future::isDone));
      }
    }
    for (Future<Integer> each : runs) {
      assertThat(each.get()).isGreaterThan(versions);
    }

    // those of one version, while another is there already or has just been tried
    assertThat(mostContexts.get()).isLessThanOrEqualTo(2 * runners + 1);
    assertThat(loaded().contexts()).isBetween(1, runners);
    loaded().close();
    Eventually.holds("all contexts are closed", () -> loaded().contexts() == 0);
  }

  @Test
  void closedWhileMutationsRunItLetsThemEndWithinTheirLimitsAndLeavesNoThread() throws Exception {
    Set<Thread> before = Thread.getAllStackTraces().keySet();
    write(
        "mutators.js",
        """
        export const mutators = {
          async whole(tx) {
            await tx.set('a', 1);
            for (let i = 0; i < 200_000; i++);
            await tx.set('b', 1);
          },
          async explode(tx) {
            await tx.set('a', 1);
            /^(a+)+\\1c/.test('a'.repeat(40) + 'b');
          },
        };
        """);
    rules = open(true, Duration.ofMillis(1_500));
    InMemoryStore whole = new InMemoryStore();
    InMemoryStore exploding = new InMemoryStore();
    AtomicReference<@Nullable Throwable> failure = new AtomicReference<>();
    Thread good =
        Thread.ofPlatform()
            .daemon()
            .start(() -> whole.run("u", loaded().find("whole").orElseThrow(), JsonValue.ofNull()));
    Thread bad =
        Thread.ofPlatform()
            .daemon()
            .start(() -> {
              try {
                exploding.run("u", loaded().find("explode").orElseThrow(), JsonValue.ofNull());
              } catch (RuntimeException e) {
                failure.set(e);
              }
            });
    Eventually.holds(
        "the expression is looked for",
        () ->
            Arrays.stream(bad.getStackTrace())
                .anyMatch(frame -> frame.getClassName().contains(".regex.")));

    loaded().close();
    good.join(LONG_MILLIS);
    bad.join(LONG_MILLIS);

    assertThat(JsonValue.object(whole.view("u")).toJson()).isEqualTo("{\"a\":1,\"b\":1}");
    assertThat(failure.get())
        .isInstanceOf(MutatorFailedException.class)
        .hasMessageContaining("(mutators.max-");
    assertThat(exploding.view("u")).isEmpty();
    Eventually.holds(
        "the threads are gone",
        () ->
            Thread.getAllStackTraces().keySet().stream()
                .noneMatch(each -> each.getName().startsWith("script-") && !before.contains(each)));
    assertThat(loaded().contexts()).isZero();
    assertThatThrownBy(() -> loaded().find("whole")).isInstanceOf(RulesAwayException.class);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "let n = 0; const e = new Error('x'); Object.defineProperty(e, 'code', {get: () => n++ === 0 ? 'a' : {}}); throw e;",
        "let n = 0; throw {get code() { return n++ === 0 ? 'a' : 7; }};",
        "const e = new Error('x'); e.stack = 'at ' + ' ('.repeat(200_000); throw e;",
        "throw new Error('x'.repeat(10_000_000));",
        "throw Object.assign(new Error('x'), {code: '\\ud800' + 'c'.repeat(1_000_000)});",
        "throw Object.assign(new Error('x'), {code: 'x', message: Symbol('a')});",
        "throw new Proxy({}, {get() { throw 1; }, getPrototypeOf() { throw 2; }});",
        "const f = () => { tx.set('deep', 1); f(); }; f();",
        "const f = () => { tx.scan().toArray(); f(); }; try { f(); } catch {} throw new Error('after');"
      })
  void whateverAMutatorThrowsIsAFailureOfAReadableSize(String code) throws IOException {
    load("async good(tx) { await tx.set('good', 1); }, async bad(tx, args) { %s }".formatted(code));

    assertThatThrownBy(() -> run("bad"))
        .isInstanceOfAny(MutatorFailedException.class, RejectedException.class)
        .satisfies(e -> assertThat(String.valueOf(e.getMessage())).hasSizeLessThan(1100))
        .satisfies(e -> {
          if (e instanceof RejectedException rejected) {
            assertThat(rejected.code().orElse("")).hasSizeLessThanOrEqualTo(200);
          }
        });
    run("good");
    assertThat(view()).isEqualTo("{\"good\":1}");
  }
}
