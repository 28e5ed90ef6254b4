import Almanac
import Columns
import History
import JSON
import Testing

/// Every way in which a branch changes, with every kind of rule: what violates a rule does not pass, and what only moves a branch to
/// a commit that is there does.
@Suite struct GateWaysTests {
  /// A rule of dataset `d`, rows that satisfy it, and rows that do not.
  struct RuleCase: Sendable, CustomTestStringConvertible {
    let name: String
    var number = ""
    var text = ""
    var dataset = ""
    let good: [Int: String]
    let bad: [Int: String]
    /// How the report names it.
    let report: String

    var testDescription: String { name }

    var isAboutDataset: Bool { !dataset.isEmpty }

    func contract(ruled: Bool) -> String {
      func part(_ text: String) -> String { ruled && !text.isEmpty ? ", \(text)" : "" }
      return """
        apiVersion: v3.1.0
        kind: DataContract
        schema:
        - name: d
          properties:
          - {name: id, logicalType: integer, required: true, primaryKey: true}
          - {name: n, logicalType: integer\(part(number))}
          - {name: s, logicalType: string\(part(text))}
        \(ruled && !dataset.isEmpty ? "  quality: [\(dataset)]" : "")

        """
    }
  }

  /// Rows as `n,s` by key; `extra` may be added to all of them.
  private static let good = [1: "1,a", 2: "2,b", 3: "3,ab", 4: "4,b"]
  private static let extra = "5,a"

  private static func number(_ name: String, _ options: String, bad: Int, _ report: String) -> RuleCase {
    RuleCase(
      name: name, number: "logicalTypeOptions: {\(options)}", good: good, bad: good.merging([7: "\(bad),a"]) { $1 }, report: "d.n \(report)"
    )
  }

  private static func text(_ name: String, _ rule: String, bad: String, _ report: String) -> RuleCase {
    RuleCase(name: name, text: rule, good: good, bad: good.merging([7: "5,\(bad)"]) { $1 }, report: "d.s \(report)")
  }

  private static func count(_ name: String, _ rule: String, bad: Int, _ report: String) -> RuleCase {
    let rows = Dictionary(uniqueKeysWithValues: (1...bad).map { ($0, good[$0] ?? "1,a") })
    return RuleCase(name: name, dataset: "{metric: rowCount, \(rule)}", good: good, bad: rows, report: "d rowCount \(report)")
  }

  static let rules: [RuleCase] = [
    number("minimum", "minimum: 0", bad: -1, "minimum 0"), number("maximum", "maximum: 9", bad: 10, "maximum 9"),
    number("exclusiveMinimum", "exclusiveMinimum: 0", bad: 0, "exclusiveMinimum 0"),
    number("exclusiveMaximum", "exclusiveMaximum: 9", bad: 9, "exclusiveMaximum 9"),
    text("nullValues", "quality: [{metric: nullValues, mustBe: 0}]", bad: "", "required"),
    text("minLength", "logicalTypeOptions: {minLength: 1}", bad: "\"\"", "minLength 1"),
    text("maxLength", "logicalTypeOptions: {maxLength: 3}", bad: "four", "maxLength 3"),
    text("pattern", "logicalTypeOptions: {pattern: '^[a-z]*$'}", bad: "X", "pattern ^[a-z]*$"),
    text(
      "invalidValues", "quality: [{metric: invalidValues, arguments: {validValues: [a, b, ab]}, mustBe: 0}]", bad: "ba",
      "validValues [\"a\", \"b\", \"ab\"]"),
    count("rowCount at least", "mustBeGreaterThan: 2", bad: 1, "at least 3"),
    count("rowCount at most", "mustBeLessOrEqualTo: 5", bad: 7, "at most 5"),
    count("rowCount between", "mustBeBetween: [2, 6]", bad: 1, "between 3 and 5"),
  ]

  /// One repository in which each way has branches of its own, from a commit with good rows and no rule.
  private struct Scene {
    let workshop: Workshop
    let rule: RuleCase
    var repository: Repository { workshop.repository }

    init(_ rule: RuleCase) throws {
      self.rule = rule
      workshop = try Workshop()
      try declare(ruled: false)
      try put(rule.good, .append, "main")
      try repository.createBranch("start", at: "main")
    }

    private func declare(ruled: Bool) throws {
      try workshop.declare("schemas/d.yaml", rule.contract(ruled: ruled))
      try workshop.apply()
    }

    func branch(_ name: String, from start: String = "start") throws { try repository.createBranch(name, at: start) }

    /// Registers the rule on a branch.
    func addRule(_ branch: String) throws {
      try repository.switchBranch(to: branch)
      try declare(ruled: true)
    }

    func removeRule(_ branch: String) throws {
      try repository.switchBranch(to: branch)
      try declare(ruled: false)
    }

    /// A branch off one that has the rule, on which bad rows came while the rule was away.
    func putWhileAway(_ branch: String, from ours: String) throws {
      try self.branch(branch, from: ours)
      try removeRule(branch)
      try put(rule.bad, .replace, branch)
      try addRule(branch)
    }

    func put(_ rows: [Int: String], _ mode: ChangeMode, _ branch: String) throws {
      let lines = rows.sorted { $0.key < $1.key }.map { "\($0.key),\($0.value)" }
      try workshop.commit("d", workshop.write("rows.csv", (["id,n,s"] + lines).joined(separator: "\n") + "\n"), mode, branch: branch)
    }

    func merge(_ other: String, into branch: String, _ strategy: MergeStrategy = .fail) throws {
      let report = try repository.merge(other, into: branch, strategy: strategy, fastForward: false)
      #expect(report.outcome == .merged)
    }

    func root(_ spec: String) throws -> RootID? { try repository.commit(repository.resolve(spec)).datasets["d"]?.root }
  }

  private struct Way: Sendable {
    let name: String
    let isFor: @Sendable (RuleCase) -> Bool
    /// Brings `ours`, and perhaps `theirs`, to where only the attempt would violate the rule.
    var prepare: @Sendable (Scene, _ ours: String, _ theirs: String) throws -> Void = { scene, ours, _ in try scene.addRule(ours) }
    let attempt: @Sendable (Scene, _ ours: String, _ theirs: String) throws -> Void
  }

  private static let always: @Sendable (RuleCase) -> Bool = { _ in true }
  private static let hasMore: @Sendable (RuleCase) -> Bool = { $0.bad.count > $0.good.count }
  private static let hasLess: @Sendable (RuleCase) -> Bool = { $0.bad.count < $0.good.count }

  private static let commits: [Way] = [
    Way(name: "append", isFor: hasMore) { scene, ours, _ in
      try scene.put(scene.rule.bad.filter { scene.rule.good[$0.key] == nil }, .append, ours)
    },
    Way(name: "upsert", isFor: hasMore) { scene, ours, _ in try scene.put(scene.rule.bad, .upsert, ours) },
    Way(name: "upsert without the columns of the rule", isFor: { !$0.isAboutDataset }) { scene, ours, _ in
      try scene.put(scene.rule.bad, .replace, ours)
      try scene.addRule(ours)
    } attempt: { scene, ours, _ in
      let column = scene.rule.number.isEmpty ? "n" : "s"
      try scene.workshop.commit(
        "d", scene.workshop.write("fix.csv", "id,\(column)\n7,\(column == "n" ? "6" : "b")\n"), .upsert, branch: ours)
    },
    Way(name: "replace", isFor: always) { scene, ours, _ in try scene.put(scene.rule.bad, .replace, ours) },
    Way(name: "delete", isFor: hasLess) { scene, ours, _ in
      try scene.put(scene.rule.good.filter { scene.rule.bad[$0.key] == nil }, .delete, ours)
    },
    Way(name: "the first commit of a branch", isFor: always) { scene, ours, theirs in
      try scene.addRule(theirs)
    } attempt: { scene, _, theirs in
      try scene.repository.switchBranch(to: theirs)
      try scene.put(scene.rule.bad, .replace, "\(theirs)-new")
    },
  ]

  private static let merges: [Way] = [
    Way(name: "merge of rows that were made without the rule", isFor: always) { scene, ours, theirs in
      try scene.addRule(ours)
      try scene.put(scene.rule.bad, .replace, theirs)
    } attempt: { scene, ours, theirs in
      try scene.merge(theirs, into: ours)
    },
    Way(name: "the same, settled for them", isFor: always) { scene, ours, theirs in
      try scene.addRule(ours)
      try scene.put(scene.rule.bad, .replace, theirs)
    } attempt: { scene, ours, theirs in
      try scene.merge(theirs, into: ours, .theirs)
    },
    Way(name: "the same beside rows of our own", isFor: always) { scene, ours, theirs in
      try scene.addRule(ours)
      try scene.put([9: extra], .upsert, ours)
      try scene.put(scene.rule.bad, .replace, theirs)
    } attempt: { scene, ours, theirs in
      try scene.merge(theirs, into: ours)
    },
    Way(name: "merge of the rule into rows that were made without it", isFor: always) { scene, ours, theirs in
      try scene.put(scene.rule.bad, .replace, ours)
      try scene.addRule(theirs)
    } attempt: { scene, ours, theirs in
      try scene.merge(theirs, into: ours)
    },
    Way(name: "the same beside rows of their own", isFor: always) { scene, ours, theirs in
      try scene.put(scene.rule.bad, .replace, ours)
      try scene.addRule(theirs)
      try scene.put([9: extra], .upsert, theirs)
    } attempt: { scene, ours, theirs in
      try scene.merge(theirs, into: ours)
    },
    Way(name: "merge of rows whose rule came after them", isFor: always) { scene, ours, theirs in
      try scene.put(scene.rule.bad, .replace, theirs)
      try scene.addRule(theirs)
    } attempt: { scene, ours, theirs in
      try scene.merge(theirs, into: ours)
    },
    Way(name: "merge of rows that came while the rule was away", isFor: always) { scene, ours, theirs in
      try scene.addRule(ours)
      try scene.putWhileAway("\(theirs)-away", from: ours)
    } attempt: { scene, ours, theirs in
      try scene.merge("\(theirs)-away", into: ours)
    },
    Way(name: "the same, fast-forward", isFor: always) { scene, ours, theirs in
      try scene.addRule(ours)
      try scene.putWhileAway("\(theirs)-away", from: ours)
    } attempt: { scene, ours, theirs in
      _ = try scene.repository.merge("\(theirs)-away", into: ours)
    },
    Way(name: "the same into a branch of another rule", isFor: always) { scene, ours, theirs in
      try scene.addRule(ours)
      try scene.putWhileAway("\(theirs)-away", from: ours)
      try scene.workshop.declare("schemas/e.yaml", scene.rule.contract(ruled: false).replacing("name: d", with: "name: e"))
      try scene.addRule(ours)
    } attempt: { scene, ours, theirs in
      try scene.merge("\(theirs)-away", into: ours)
    },
    Way(name: "the same beside rows of our own, settled for them", isFor: always) { scene, ours, theirs in
      try scene.addRule(ours)
      try scene.putWhileAway("\(theirs)-away", from: ours)
      try scene.put([9: extra], .upsert, ours)
    } attempt: { scene, ours, theirs in
      try scene.merge("\(theirs)-away", into: ours, .theirs)
    },
    Way(name: "the same through a merge on the way", isFor: always) { scene, ours, theirs in
      try scene.addRule(ours)
      try scene.putWhileAway("\(theirs)-away", from: ours)
      try scene.branch("\(theirs)-way", from: "\(theirs)-away")
      try scene.repository.switchBranch(to: "\(theirs)-way")
      try scene.workshop.declare("schemas/e.yaml", scene.rule.contract(ruled: false).replacing("name: d", with: "name: e"))
      try scene.workshop.apply()
      try scene.repository.switchBranch(to: ours)
    } attempt: { scene, ours, theirs in
      try scene.merge("\(theirs)-way", into: ours)
    },
    Way(name: "cherry-pick, settled for them", isFor: { !$0.isAboutDataset }) { scene, ours, theirs in
      try scene.addRule(ours)
      try scene.put([9: extra], .upsert, ours)
      try scene.put(scene.rule.bad, .upsert, theirs)
    } attempt: { scene, ours, theirs in
      try scene.repository.switchBranch(to: ours)
      _ = try scene.repository.cherryPick(theirs, strategy: .theirs)
    },
    Way(name: "cherry-pick", isFor: always) { scene, ours, theirs in
      try scene.addRule(ours)
      try scene.put(scene.rule.bad, .replace, theirs)
    } attempt: { scene, ours, theirs in
      try scene.repository.switchBranch(to: ours)
      _ = try scene.repository.cherryPick(theirs)
    },
    Way(name: "revert of the last commit", isFor: always) { scene, ours, _ in
      try scene.put(scene.rule.bad, .replace, ours)
      try scene.addRule(ours)
      try scene.put(scene.rule.good, .replace, ours)
    } attempt: { scene, ours, _ in
      try scene.repository.switchBranch(to: ours)
      _ = try scene.repository.revert(ours)
    },
    Way(name: "revert of an older commit", isFor: always) { scene, ours, _ in
      try scene.put(scene.rule.bad, .replace, ours)
      try scene.addRule(ours)
      try scene.put(scene.rule.good, .replace, ours)
      try scene.put([9: extra], .upsert, ours)
    } attempt: { scene, ours, _ in
      try scene.repository.switchBranch(to: ours)
      _ = try scene.repository.revert("\(ours)~1")
    },
  ]

  @Test(arguments: rules) func whatViolatesARuleDoesNotPass(rule: RuleCase) throws {
    let scene = try Scene(rule)
    for (number, way) in (Self.commits + Self.merges).enumerated() where way.isFor(rule) {
      let (ours, theirs) = ("ours-\(number)", "theirs-\(number)")
      try scene.branch(ours)
      try scene.branch(theirs)
      try way.prepare(scene, ours, theirs)
      let before = try scene.workshop.state()
      let error = #expect(throws: AlmanacError.self, "\(way.name)") { try way.attempt(scene, ours, theirs) }
      #expect(error?.kind == .failed, "\(way.name)")
      let text = error?.description ?? ""
      #expect(text.contains("was refused by its contract; nothing was changed") && text.contains(rule.report), "\(way.name): \(text)")
      #expect(try scene.workshop.state() == before, "\(way.name)")
    }
  }

  /// A rule that comes back in other words is still what the branch asks.
  @Test func aRuleInOtherWordsIsAskedOfAFastForward() throws {
    struct Wording {
      let old: String
      let new: String
      var name = "n"
    }
    let values = { (list: String) in "quality: [{metric: invalidValues, arguments: {validValues: \(list)}, mustBe: 0}]" }
    for wording in [
      Wording(old: "logicalTypeOptions: {minimum: 0}", new: "logicalTypeOptions: {minimum: 1}"),
      Wording(old: "logicalTypeOptions: {minimum: 0}", new: "logicalTypeOptions: {exclusiveMinimum: -1}"),
      Wording(old: values("[1, 2]"), new: values("[2, 1]")),
      Wording(old: "required: true", new: "quality: [{metric: nullValues, mustBe: 0}]"),
      Wording(
        old: "logicalTypeOptions: {minimum: 0}",
        new: "logicalTypeOptions: {minimum: 0}, customProperties: [{property: almanac, value: {previousName: n}}]", name: "m"),
    ] {
      func contract(_ text: String, _ name: String = "n") -> String {
        RuleCase(name: "", number: text, good: [:], bad: [:], report: "").contract(ruled: true).replacing("name: n", with: "name: \(name)")
      }
      let workshop = try Workshop()
      let repository = workshop.repository
      try workshop.declare("schemas/d.yaml", contract(wording.old))
      try workshop.apply()
      try workshop.commit("d", workshop.write("1.csv", "id,n,s\n1,1,a\n"))
      try repository.createBranch("dev", at: "main")
      try repository.switchBranch(to: "dev")
      try workshop.declare("schemas/d.yaml", contract(""))
      try workshop.apply()
      try workshop.commit("d", workshop.write("2.csv", "id,n,s\n2,\(wording.old.hasPrefix("required") ? "" : "-2"),a\n"), .append)
      try workshop.declare("schemas/d.yaml", contract(wording.new, wording.name))
      try workshop.apply()
      try repository.switchBranch(to: "main")
      let before = try workshop.state()
      let error = #expect(throws: AlmanacError.self, "\(wording.new)") { try repository.merge("dev") }
      #expect(error?.description.contains("was refused by its contract") == true)
      #expect(try workshop.state() == before)
      // Put right, it passes.
      try repository.switchBranch(to: "dev")
      try workshop.commit("d", workshop.write("3.csv", "id,\(wording.name),s\n2,2,a\n"), .upsert)
      try repository.switchBranch(to: "main")
      #expect(try repository.merge("dev").outcome == .fastForward)
    }
  }

  /// Rules of a merge stand where a file has them, so that the contract can be written as one.
  @Test func mergedRulesCanBeExported() throws {
    let workshop = try Workshop()
    let repository = workshop.repository
    func column(_ name: String, _ isRuled: Bool) -> String {
      "  - {name: \(name), physicalType: int64\(isRuled ? ", logicalTypeOptions: {minimum: 0}" : "")}"
    }
    func declare(_ columns: String...) throws {
      let head =
        "apiVersion: v3.1.0\nkind: DataContract\nschema:\n- name: d\n  properties:\n  - {name: id, physicalType: int64, primaryKey: true}\n"
      try workshop.declare("schemas/d.yaml", head + columns.joined(separator: "\n") + "\n")
      try workshop.apply()
    }
    try declare(column("b", false), column("a", true), column("d", false))
    try workshop.commit("d", workshop.write("1.csv", "id,a,b\n1,1,1\n"))
    try repository.createBranch("dev", at: "main")
    try declare(column("d", true), column("b", true), column("a", true))
    try repository.switchBranch(to: "dev")
    try declare(column("b", true), column("a", true), column("d", false))
    try repository.switchBranch(to: "main")
    #expect(try repository.merge("dev").outcome == .merged)
    let merged = try #require(repository.definitions(at: repository.resolve("main")).contracts["d"])
    #expect(merged.rules.map(\.text) == ["d.d minimum 0", "d.b minimum 0", "d.a minimum 0"])
    #expect(merged.columns.map(\.name) == ["id", "d", "b", "a"])
    #expect(merged.yaml != nil)
  }

  /// How many rows there would be is not known, and not said, where a row is refused.
  @Test func aRefusedRowSaysNothingOfTheNumberOfRows() throws {
    let workshop = try Workshop()
    let rule = RuleCase(
      name: "", number: "logicalTypeOptions: {minimum: 0}", dataset: "{metric: rowCount, mustBeGreaterThan: 1}", good: [:], bad: [:],
      report: "")
    try workshop.declare("schemas/d.yaml", rule.contract(ruled: true))
    try workshop.apply()
    try workshop.commit("d", workshop.write("1.csv", "id,n,s\n1,1,a\n2,2,b\n"))
    for mode in [ChangeMode.append, .upsert] {
      let error = #expect(throws: AlmanacError.self) { try workshop.commit("d", workshop.write("2.csv", "id,n,s\n3,-1,a\n"), mode) }
      #expect(error?.description.contains("d: 1 of 2 rules violated, 1 row") == true, "\(error?.description ?? "")")
      #expect(error?.description.contains("rowCount") == false)
    }
  }

  /// A cherry-pick or revert brings a rule as `apply` does: rows that are there are not asked, rows that come later are.
  @Test(arguments: rules) func aRuleThatIsPickedAsksNothingOfRowsThatAreThere(rule: RuleCase) throws {
    let scene = try Scene(rule)
    for (number, brings) in ["pick", "revert"].enumerated() {
      let (ours, theirs) = ("ours-\(number)", "theirs-\(number)")
      try scene.branch(ours)
      try scene.branch(theirs)
      if brings == "pick" {
        try scene.put(rule.bad, .replace, ours)
        try scene.addRule(theirs)
        try scene.repository.switchBranch(to: ours)
        #expect(try scene.repository.cherryPick(theirs).outcome == .merged)
      } else {
        try scene.addRule(ours)
        try scene.removeRule(ours)
        let away = try scene.repository.resolve(ours)
        try scene.put(rule.bad, .replace, ours)
        #expect(try scene.repository.revert(away.description).outcome == .merged)
      }
      #expect(try scene.repository.definitions(at: scene.repository.resolve(ours)).contracts["d"]?.rules.count == 1)
      #expect(throws: AlmanacError.self) {
        try scene.put(rule.bad.merging([8: "5,a"]) { $1 }, .replace, ours)
      }
    }
  }

  /// What passed a rule on its branch is not asked again, whatever else changed in the contract.
  @Test func rowsThatPassedOnTheirBranchPass() throws {
    for rule in [Self.rules[0], Self.rules[3]] {
      let scene = try Scene(rule)
      // Rows that violate the rule were there before it, on both branches.
      try scene.put(rule.bad.merging([6: "6,b"]) { $1 }, .replace, "start")
      try scene.addRule("start")
      try scene.branch("ours")
      try scene.branch("theirs")
      try scene.put([9: Self.extra], .upsert, "theirs")
      try scene.repository.switchBranch(to: "ours")
      try scene.workshop.declare("schemas/e.yaml", rule.contract(ruled: false).replacing("name: d", with: "name: e"))
      try scene.workshop.apply()
      try scene.merge("theirs", into: "ours")
      #expect(try scene.root("ours") == scene.root("theirs"))
    }
  }

  /// Two sides that satisfy a rule may not satisfy it together.
  @Test func sidesThatAreGoodMayBeBadTogether() throws {
    for rule in Self.rules where rule.isAboutDataset {
      let scene = try Scene(rule)
      try scene.addRule("start")
      for name in ["ours", "theirs"] { try scene.branch(name) }
      if Self.hasLess(rule) {
        try scene.put([1: "1,a"], .delete, "ours")
        try scene.put([2: "2,b"], .delete, "theirs")
      } else {
        try scene.put([8: "1,a"], .append, "ours")
        try scene.put([9: "2,b"], .append, "theirs")
      }
      let error = #expect(throws: AlmanacError.self) { try scene.merge("theirs", into: "ours") }
      #expect(error?.description.contains("\(rule.report): found \(Self.hasLess(rule) ? 2 : 6) rows (error)") == true)
    }
  }

  /// A move to a commit that is there asks nothing again: the commit has a verdict of its own, or a rule came later to its rows.
  @Test(arguments: [rules[0], rules[9]]) func movesToCommitsPass(rule: RuleCase) throws {
    let scene = try Scene(rule)
    let repository = scene.repository
    try scene.branch("ours")
    // A rule that comes to rows which violate it, and good rows after it.
    try scene.put(rule.bad, .replace, "ours")
    let bad = try scene.root("ours")
    try scene.addRule("ours")
    try scene.put(rule.good, .replace, "ours")
    let tip = try repository.resolve("ours")
    _ = try repository.undo()
    #expect(try scene.root("ours") == bad)
    // Sealing changes no rows.
    _ = try repository.seal(branch: "ours")
    _ = try repository.undo()
    _ = try repository.redo()
    #expect(try repository.merge(tip.description, into: "start").outcome == .fastForward)
    #expect(try repository.resolve("start") == tip)
  }

  @Test func aWarningIsRecordedAndPasses() throws {
    let workshop = try Workshop()
    let rule = RuleCase(
      name: "warning", dataset: "{metric: rowCount, mustBeGreaterThan: 1, severity: warning}", good: [:], bad: [:], report: "")
    try workshop.declare("schemas/d.yaml", rule.contract(ruled: true))
    try workshop.apply()
    try workshop.commit("d", workshop.write("rows.csv", "id,n,s\n1,1,a\n2,2,b\n"))
    let report = try workshop.commit("d", workshop.write("gone.csv", "id\n1\n2\n"), .delete)
    #expect(report.datasets.map(\.warnings) == [["d rowCount at least 2: 1 of 1"]])
    let verdict = try workshop.repository.verdicts(of: workshop.repository.commit(#require(report.commit)))["d"]
    #expect(verdict?["success"] == .bool(true))
    let results = verdict?["results"]?.arrayValue ?? []
    let names = results.compactMap { $0["expectation_config"]?["meta"]?["rule"]?.stringValue }
    #expect(names == ["d.id required", "d.id primary key unique", "d rowCount at least 2"])
    #expect(results.last?["result"]?["observed_value"] == .int(0))
  }

  @Test func applySaysWhatItDoesNotCheck() throws {
    for (rule, warning) in [
      (Self.rules[0], "dataset d: the 4 rows that are there have not been checked against new rules: d.n minimum 0"),
      (
        Self.count("", "mustBeGreaterThan: 4", bad: 1, ""),
        "dataset d has 4 rows, and its new rule is d rowCount at least 5: commits to it are refused until that holds"
      ),
    ] {
      let scene = try Scene(rule)
      try scene.workshop.declare("schemas/d.yaml", rule.contract(ruled: true))
      #expect(try scene.repository.apply(plan: true).warnings == [warning])
      #expect(try scene.workshop.apply().warnings == [warning])
      #expect(try scene.workshop.apply().warnings == [])
    }
  }
}
