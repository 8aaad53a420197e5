package dev.replistream;

import static com.tngtech.archunit.base.DescribedPredicate.not;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.assignableTo;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.belongTo;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.simpleName;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.type;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.fields;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noFields;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.domain.JavaModifier;
import com.tngtech.archunit.core.domain.JavaPackage;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.lang.ArchRule;
import com.tngtech.archunit.library.GeneralCodingRules;
import dev.replistream.api.JsonValue;
import java.sql.SQLException;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.atomic.LongAdder;
import org.jspecify.annotations.NullMarked;
import org.junit.jupiter.api.Test;

/// Who may know whom, and the rules of the house that a machine can check.
class ArchitectureTest {
  private static final JavaClasses CLASSES =
      new ClassFileImporter()
          .importUrl(Application.class.getProtectionDomain().getCodeSource().getLocation());

  private static void check(ArchRule rule) {
    rule.allowEmptyShould(true).check(CLASSES);
  }

  private static void mayNotKnow(String one, String... others) {
    check(
        noClasses()
            .that()
            .resideInAPackage("dev.replistream." + one + "..")
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage(others));
  }

  private static void knowsOnly(String one, String... others) {
    String own = "dev.replistream." + one + "..";
    check(
        noClasses()
            .that()
            .resideInAPackage(own)
            .should()
            .dependOnClassesThat(
                resideInAPackage("dev.replistream..")
                    .and(not(resideInAnyPackage(others).or(resideInAPackage(own))))));
  }

  @Test
  void packagesFormNoCircle() {
    check(slices().matching("dev.replistream.(*)..").should().beFreeOfCycles());
  }

  @Test
  void nobodyKnowsTheRootButItself() {
    check(
        noClasses()
            .that()
            .resideInAPackage("dev.replistream.*..")
            .should()
            .dependOnClassesThat()
            .resideInAPackage("dev.replistream"));
  }

  /// The root and `api` are what others see: an application that embeds the service needs nothing
  /// else of it. Only how the service itself reads and writes values names what parses them.
  @Test
  void whatOthersSeeNamesNothingInternal() {
    Set<String> internal = new TreeSet<>();
    for (JavaClass each : CLASSES) {
      if (isPublicSurface(each)) {
        each.getCodeUnits().stream()
            .filter(unit -> isVisible(unit.getModifiers()))
            .forEach(unit ->
                unit.getAllInvolvedRawTypes().stream()
                    .map(JavaClass::getBaseComponentType)
                    .filter(ArchitectureTest::isInternal)
                    .filter(type ->
                        !(each.isEquivalentTo(JsonValue.class)
                            && type.getPackageName().startsWith("com.fasterxml.jackson.")))
                    .forEach(type -> internal.add(unit.getFullName() + " " + type.getName())));
        each.getFields().stream()
            .filter(field -> isVisible(field.getModifiers()))
            .filter(field -> isInternal(field.getRawType().getBaseComponentType()))
            .forEach(field -> internal.add(field.getFullName()));
        each.getAllRawSuperclasses().stream()
            .filter(ArchitectureTest::isInternal)
            .forEach(type -> internal.add(each.getName() + " " + type.getName()));
      }
    }

    assertThat(internal).isEmpty();
  }

  private static boolean isPublicSurface(JavaClass each) {
    return isVisible(each.getModifiers())
        && (each.getPackageName().equals("dev.replistream")
            || each.getPackageName().equals("dev.replistream.api"));
  }

  private static boolean isVisible(Set<JavaModifier> modifiers) {
    return modifiers.contains(JavaModifier.PUBLIC) || modifiers.contains(JavaModifier.PROTECTED);
  }

  /// Whether it is neither of the JDK or Helidon nor of the public surface.
  private static boolean isInternal(JavaClass type) {
    String name = type.getPackageName();
    return !type.isPrimitive()
        && !name.startsWith("java.")
        && !name.startsWith("io.helidon.")
        && !isPublicSurface(type);
  }

  /// What is started by its name is used too.
  @Test
  void whatIsPublicIsUsedByAnotherPackage() {
    Set<JavaClass> used = new HashSet<>();
    for (JavaClass each : CLASSES) {
      each.getDirectDependenciesFromSelf().stream()
          .map(use -> use.getTargetClass().getBaseComponentType())
          .filter(target -> !target.getPackageName().equals(each.getPackageName()))
          .forEach(used::add);
      each.getCodeUnitCallsFromSelf().stream()
          .filter(call -> !call.getTargetOwner().getPackageName().equals(each.getPackageName()))
          .flatMap(call -> call.getTarget().resolveMember().stream())
          .forEach(unit -> used.addAll(unit.getAllInvolvedRawTypes()));
      if (each.tryGetMethod("main", String[].class).isPresent()) {
        used.add(each);
      }
    }

    assertThat(
            CLASSES.stream()
                .filter(each -> each.isTopLevelClass() && isVisible(each.getModifiers()))
                .filter(each -> !isPublicSurface(each) && !used.contains(each))
                .map(JavaClass::getName))
        .isEmpty();
  }

  @Test
  void jsonAndDbKnowNobodyAndHttpAndTheApiKnowJsonOnly() {
    knowsOnly("json");
    knowsOnly("db");
    knowsOnly("http", "dev.replistream.json..");
    knowsOnly("api", "dev.replistream.json..");
  }

  @Test
  void httpDoesNotKnowItsConnections() {
    check(
        noClasses()
            .that()
            .resideInAPackage("dev.replistream.http")
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage("dev.replistream.http.*.."));
  }

  @Test
  void onlyDbKnowsTheDrivers() {
    check(
        noClasses()
            .that()
            .resideOutsideOfPackage("dev.replistream.db..")
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage("com.zaxxer..", "org.postgresql..", "org.sqlite.."));
  }

  @Test
  void onlyNodesKnowsRedis() {
    check(
        noClasses()
            .that()
            .resideOutsideOfPackage("dev.replistream.nodes..")
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage("redis.clients.."));
  }

  @Test
  void onlyWhoKeepsDataKnowsSql() {
    check(
        noClasses()
            .that()
            .resideOutsideOfPackages(
                "dev.replistream.db..", "dev.replistream.data..", "dev.replistream.sync..")
            .and(not(belongTo(simpleName("RevocationStore"))))
            .should()
            .dependOnClassesThat(
                resideInAPackage("java.sql..").and(not(type(SQLException.class)))));
  }

  @Test
  void authKnowsHttpAndTheDatabase() {
    mayNotKnow(
        "auth",
        "dev.replistream.stream..",
        "dev.replistream.poke..",
        "dev.replistream.sync..",
        "dev.replistream.room..",
        "dev.replistream.cli..");
  }

  @Test
  void ofAuthOnlyWhatRevokesKnowsTheDatabase() {
    check(
        noClasses()
            .that()
            .resideInAPackage("dev.replistream.auth..")
            .and()
            .haveSimpleNameNotStartingWith("Revo")
            .should()
            .dependOnClassesThat()
            .resideInAPackage("dev.replistream.db.."));
  }

  @Test
  void rulesKnowNothingOfPushesAndTheDatabase() {
    knowsOnly("rules", "dev.replistream.api..", "dev.replistream.json..", "dev.replistream.http");
  }

  @Test
  void onlyScriptsKnowTheirEngine() {
    check(
        noClasses()
            .that()
            .resideOutsideOfPackage("dev.replistream.rules.script..")
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage("org.graalvm.."));
  }

  @Test
  void webKnowsHttpAndAuthOnly() {
    mayNotKnow(
        "web",
        "dev.replistream.stream..",
        "dev.replistream.poke..",
        "dev.replistream.sync..",
        "dev.replistream.room..",
        "dev.replistream.db..",
        "dev.replistream.cli..");
  }

  @Test
  void pokeAndNodesDoNotKnowWhoListens() {
    for (String one : List.of("poke", "nodes")) {
      mayNotKnow(
          one,
          "dev.replistream.stream..",
          "dev.replistream.sync..",
          "dev.replistream.room..",
          "dev.replistream.presence..",
          "dev.replistream.data..",
          "dev.replistream.cli..");
    }
    mayNotKnow("poke", "dev.replistream.nodes..");
  }

  @Test
  void whatIsKeptKnowsNothingOfRequests() {
    mayNotKnow(
        "data",
        "dev.replistream.room..",
        "dev.replistream.presence..",
        "dev.replistream.sync..",
        "dev.replistream.stream..",
        "dev.replistream.nodes..",
        "dev.replistream.cli..");
  }

  @Test
  void roomsAndPresenceKnowNeitherSyncNorStreams() {
    for (String one : List.of("room", "presence")) {
      mayNotKnow(
          one, "dev.replistream.sync..", "dev.replistream.stream..", "dev.replistream.cli..");
    }
    mayNotKnow("presence", "dev.replistream.room..");
  }

  @Test
  void ofRoomsOnlyTheHandlersAndTheirProblemsKnowTheServer() {
    check(
        noClasses()
            .that()
            .resideInAnyPackage(
                "dev.replistream.data..", "dev.replistream.presence..", "dev.replistream.room..")
            .and()
            .haveSimpleNameNotEndingWith("Handler")
            .and()
            .doNotHaveSimpleName("RoomProblems")
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage("io.helidon.."));
  }

  @Test
  void streamAndSyncMeetInPokeOnly() {
    mayNotKnow(
        "stream", "dev.replistream.sync..", "dev.replistream.room..", "dev.replistream.cli..");
    mayNotKnow("sync", "dev.replistream.stream..", "dev.replistream.cli..");
  }

  @Test
  void ofPokeOnlyItsHandlersKnowTheServer() {
    check(
        noClasses()
            .that()
            .resideInAPackage("dev.replistream.poke..")
            .and()
            .haveSimpleNameNotEndingWith("Handler")
            .and()
            .areTopLevelClasses()
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage("io.helidon.webserver..", "io.helidon.http.."));
  }

  @Test
  void whatMutatorsSeeKnowsNeitherTheServerNorSql() {
    check(
        noClasses()
            .that()
            .resideInAPackage("dev.replistream.api..")
            .or()
            .haveNameMatching(".*\\.(BuiltIn.*|MergePatch).*")
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage("io.helidon..", "java.sql..", "dev.replistream.db.."));
  }

  @Test
  void onlyLogsKnowsWhatCarriesTheLog() {
    check(
        noClasses()
            .that(not(belongTo(type(Logs.class))))
            .should()
            .dependOnClassesThat()
            .resideInAPackage("java.util.logging.."));
  }

  @Test
  void everyPackageSaysThatNullIsNoValue() {
    Set<JavaPackage> packages =
        new HashSet<>(CLASSES.getPackage("dev.replistream").getSubpackagesInTree());
    packages.add(CLASSES.getPackage("dev.replistream"));

    assertThat(packages).hasSizeGreaterThanOrEqualTo(5);
    assertThat(packages)
        .filteredOn(each -> !each.getClasses().isEmpty())
        .allSatisfy(
            each -> assertThat(each.isAnnotatedWith(NullMarked.class)).as(each.getName()).isTrue());
  }

  @Test
  void nobodySpeaksToTheTerminalButTheCommandLine() {
    check(
        noClasses()
            .that(not(belongTo(type(Main.class))))
            .and()
            .resideOutsideOfPackage("dev.replistream.cli..")
            .should(GeneralCodingRules.ACCESS_STANDARD_STREAMS));
  }

  @Test
  void whatFailsHasAName() {
    check(GeneralCodingRules.NO_CLASSES_SHOULD_THROW_GENERIC_EXCEPTIONS);
  }

  @Test
  void nobodyInjects() {
    check(GeneralCodingRules.NO_CLASSES_SHOULD_USE_FIELD_INJECTION);
    check(
        noClasses()
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage(
                "jakarta.inject..", "javax.inject..", "io.helidon.service.inject.."));
  }

  @Test
  void nothingThatBelongsToNobodyChanges() {
    check(fields().that().areStatic().should().beFinal());
    check(
        noFields()
            .that()
            .areStatic()
            .should()
            .haveRawType(
                assignableTo(Number.class)
                    .and(not(assignableTo(Comparable.class)))
                    .or(assignableTo(AtomicBoolean.class))
                    .or(assignableTo(AtomicReference.class))
                    .or(assignableTo(LongAdder.class))
                    .or(assignableTo(ConcurrentMap.class))
                    .or(assignableTo(ThreadLocal.class))
                    .or(
                        assignableTo(Collection.class)
                            .or(assignableTo(Map.class))
                            .and(not(isConstantByNature())))));
  }

  private static DescribedPredicate<JavaClass> isConstantByNature() {
    return DescribedPredicate.describe(
        "declared as Set, List or Map, which is filled by of()",
        each ->
            each.isEquivalentTo(Set.class)
                || each.isEquivalentTo(List.class)
                || each.isEquivalentTo(Map.class));
  }

  @Test
  void classesAreFinalOrSealed() {
    check(
        classes()
            .that()
            .areNotInterfaces()
            .and()
            .areNotAnnotations()
            .and()
            .areNotEnums()
            .and()
            .doNotHaveModifier(JavaModifier.ABSTRACT)
            .and()
            .areNotAnonymousClasses()
            .and()
            .haveSimpleNameNotEndingWith("package-info")
            .should()
            .haveModifier(JavaModifier.FINAL));
  }
}
