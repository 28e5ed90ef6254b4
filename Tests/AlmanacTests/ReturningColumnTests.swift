import Almanac
import Checks
import Columns
import History
import Tables
import Testing

/// Columns that were dropped, added or widened, and history that runs back over it or sideways past it.
@Suite struct ReturningColumnTests {
  /// `t` with key `k`, a text `a` and a number `c` of three rows.
  private static func three(tailPolicy: TailPolicy = .standard) throws -> (Workshop, EvolvingContract) {
    let workshop = try Workshop(tailPolicy: tailPolicy)
    var contract = EvolvingContract([("a", "utf8"), ("c", "int32")])
    contract.keys = [.init(name: "k", type: "int64")]
    contract.settings = "leafRows: 16"
    try workshop.apply(contract)
    try workshop.upsert("k,a,c\n1,x,7\n2,y,8\n3,z,9\n")
    return (workshop, contract)
  }

  /// `k=a|c` of each row, whatever the order of the columns.
  static func rows(_ workshop: Workshop, at spec: String = "main") throws -> [String] {
    let batch = try workshop.repository.table("t", at: workshop.repository.resolve(spec)).read()
    let names = batch.schema.fields.map(\.name).filter { $0 != "k" }
    return (0..<batch.rowCount).map { row in
      let cells = names.sorted().map { "\($0) \(batch[$0]!.scalar(at: row).plainText)" }
      return "\(batch["k"]!.scalar(at: row).plainText): \(cells.joined(separator: ", "))"
    }
  }

  static func expectWhole(_ workshop: Workshop, _ location: SourceLocation = #_sourceLocation) throws {
    let report = try Repository.check(at: workshop.repository.folder)
    #expect(report.problems.filter { $0.severity == .damage } == [], sourceLocation: location)
  }

  /// A commit that no command makes: the rows of `main` with another type of the column `c`.
  private static func forge(_ workshop: Workshop, typeOfC type: DataType, definitionsAt spec: String) throws -> CommitID {
    let repository = workshop.repository
    let tip = try repository.resolve("main")
    var commit = try repository.commit(tip)
    let version = try repository.table("t", at: tip)
    let layout = TableLayout(
      schema: Schema(
        version.layout.schema.fields.map { Field($0.name, $0.name == "c" ? type : $0.type, isNullable: $0.isNullable, id: $0.id) }),
      primaryKey: version.layout.primaryKey, eventTime: nil, createdTime: nil, partitioning: version.layout.partitioning,
      leafRowCount: version.layout.leafRowCount)
    var draft = repository.archive.draft()
    commit.datasets["t"] = try version.addRoot(under: layout, to: &draft)
    commit.definitions = try repository.commit(repository.resolve(spec)).definitions
    commit.parents = [tip]
    let id = draft.addCommit(commit)
    guard case .moved = try repository.archive.publish(&draft, commit: id, to: "main", expecting: tip, reason: "test") else {
      throw AlmanacError(.io, "The forged commit lost a race")
    }
    return id
  }

  @Test func aDropThatIsRevertedGivesTheValuesBackToEveryRow() throws {
    for tailPolicy in [TailPolicy.standard, SimulatedRepository.policy] {
      var (workshop, contract) = try Self.three(tailPolicy: tailPolicy)
      let id = try #require(workshop.layout().schema["c"]?.id)
      contract.drop("c")
      try workshop.apply(contract)
      let drop = try workshop.repository.resolve("main").description
      // Edited, inserted and removed since.
      try workshop.upsert("k,a\n1,x2\n4,new\n")
      try workshop.commit("t", workshop.write("gone.csv", "k\n3\n"), .delete)
      let back = try workshop.repository.revert(drop)
      #expect(back.outcome == .merged)
      #expect(try Self.rows(workshop) == ["1: a x2, c 7", "2: a y, c 8", "4: a new, c null"])
      #expect(try workshop.layout().schema["c"]?.id == id)
      #expect(try workshop.layout().dropped == [])
      _ = try workshop.repository.seal()
      #expect(try Self.rows(workshop) == ["1: a x2, c 7", "2: a y, c 8", "4: a new, c null"])
      // The reverted revert drops it again, and once more back.
      let again = try workshop.repository.revert(back.commit.description)
      #expect(again.outcome == .merged)
      #expect(try Self.rows(workshop) == ["1: a x2", "2: a y", "4: a new"])
      try workshop.upsert("k,a\n2,y2\n")
      #expect(try workshop.repository.revert(again.commit.description).outcome == .merged)
      #expect(try Self.rows(workshop) == ["1: a x2, c 7", "2: a y2, c 8", "4: a new, c null"])
      try Self.expectWhole(workshop)
    }
  }

  @Test func aDropTakenBackOnABranchComesByAMergeAndByAPick() throws {
    for isPicked in [false, true] {
      for isTheirs in [false, true] {
        var (workshop, contract) = try Self.three(tailPolicy: isTheirs ? .standard : SimulatedRepository.policy)
        let repository = workshop.repository
        contract.drop("c")
        try workshop.apply(contract)
        try repository.createBranch("back", at: nil)
        try workshop.upsert("k,a\n1,x2\n4,new\n")
        try workshop.commit("t", workshop.write("gone.csv", "k\n3\n"), .delete)
        try repository.switchBranch(to: "back")
        #expect(try repository.revert("back").outcome == .merged)
        if isTheirs && !isPicked {
          #expect(try repository.merge("main").outcome == .merged)
          try repository.switchBranch(to: "main")
          #expect(try repository.merge("back").outcome == .fastForward)
        } else {
          try repository.switchBranch(to: "main")
          #expect(try (isPicked ? repository.cherryPick("back") : repository.merge("back")).outcome == .merged)
        }
        #expect(try Self.rows(workshop) == ["1: a x2, c 7", "2: a y, c 8", "4: a new, c null"])
        try workshop.upsert("k,a,c\n5,e,5\n")
        #expect(try Self.rows(workshop).last == "5: a e, c 5")
        try Self.expectWhole(workshop)
      }
    }
  }

  @Test func aNameThatIsInUseAgainIsAConflict() throws {
    var (workshop, contract) = try Self.three()
    contract.drop("c")
    try workshop.apply(contract)
    let drop = try workshop.repository.resolve("main").description
    contract.columns.append(.init(name: "c", type: "int32"))
    try workshop.apply(contract)
    try workshop.upsert("k,a,c\n1,x,70\n")
    let before = try workshop.state()
    let report = try workshop.repository.revert(drop)
    #expect(report.outcome == .conflict)
    #expect(report.definitionConflicts.map(\.what) == ["column c, which is two fields"])
    #expect(try workshop.state() == before)
    #expect(try Self.rows(workshop) == ["1: a x, c 70", "2: a y, c null", "3: a z, c null"])
  }

  @Test func aDropAgainstARenameIsAConflict() throws {
    var (workshop, contract) = try Self.three()
    let repository = workshop.repository
    try repository.createBranch("side", at: nil)
    var renamed = contract
    renamed.rename("c", to: "d")
    contract.drop("c")
    try workshop.apply(contract)
    try repository.switchBranch(to: "side")
    try workshop.apply(renamed)
    for (branch, other, isDropped) in [("side", "main", false), ("main", "side", true)] {
      try repository.switchBranch(to: branch)
      let before = try workshop.state()
      let report = try repository.merge(other)
      #expect(report.definitionConflicts.map(\.what) == ["column c, dropped on one side, changed on the other"])
      let (kept, dropped) = (Optional("d int32"), Optional("dropped"))
      #expect(report.definitionConflicts.map(\.first) == [isDropped ? dropped : kept])
      #expect(report.definitionConflicts.map(\.second) == [isDropped ? kept : dropped])
      #expect(try workshop.state() == before)
      try repository.createBranch("settled-\(branch)", at: branch)
      try repository.switchBranch(to: "settled-\(branch)")
      #expect(try repository.merge(other, strategy: .ours).outcome == .merged)
      #expect(try Self.rows(workshop, at: "settled-\(branch)").first == (isDropped ? "1: a x" : "1: a x, d 7"))
    }
    try Self.expectWhole(workshop)
  }

  @Test func namesFromBeforeARenameAreNoConflict() throws {
    var (workshop, contract) = try Self.three()
    let repository = workshop.repository
    contract.rename("c", to: "d")
    try workshop.apply(contract)
    let first = try repository.resolve("main").description
    contract.rename("d", to: "e")
    try workshop.apply(contract)
    contract.rename("e", to: "c")
    try workshop.apply(contract)
    #expect(try repository.revert(first).definitionConflicts.map(\.what) == [])
    #expect(try Self.rows(workshop).first == "1: a x, c 7")
    // Renamed on one side, another column dropped on the other.
    try repository.createBranch("side", at: nil)
    contract.rename("c", to: "f")
    try workshop.apply(contract)
    try repository.switchBranch(to: "side")
    contract.rename("f", to: "c")
    contract.columns[contract.columns.count - 1].previousName = nil
    contract.drop("a")
    try workshop.apply(contract)
    try repository.switchBranch(to: "main")
    #expect(try repository.merge("side").outcome == .merged)
    #expect(try Self.rows(workshop) == ["1: f 7", "2: f 8", "3: f 9"])
    try Self.expectWhole(workshop)
  }

  /// An unrelated column of the name has the field's id; the values are its own all the same.
  @Test func valuesOfADroppedColumnDoNotComeBackWithAnotherOne() throws {
    for (isPicked, tailPolicy) in [
      (false, TailPolicy.standard), (true, .standard), (false, SimulatedRepository.policy), (true, SimulatedRepository.policy),
    ] {
      var (workshop, contract) = try Self.three(tailPolicy: tailPolicy)
      let repository = workshop.repository
      contract.drop("c")
      try workshop.apply(contract)
      try repository.createBranch("other", at: nil)
      // On main the column comes and goes with values, on the other branch it comes empty.
      contract.columns.append(.init(name: "d", type: "int32"))
      try workshop.apply(contract)
      try workshop.upsert("k,a,d\n1,x,1\n2,y,2\n3,z,3\n")
      contract.drop("d")
      try workshop.apply(contract)
      try repository.switchBranch(to: "other")
      contract.columns.append(.init(name: "d", type: "int32"))
      try workshop.apply(contract)
      let added = try repository.resolve("other").description
      try workshop.upsert("k,a,d\n2,y,20\n")
      try repository.switchBranch(to: "main")
      #expect(try (isPicked ? repository.cherryPick(added) : repository.merge("other")).outcome == .merged)
      #expect(try Self.rows(workshop) == ["1: a x, d null", "2: a y, d \(isPicked ? "null" : "20")", "3: a z, d null"])
      _ = try repository.seal()
      #expect(try Self.rows(workshop) == ["1: a x, d null", "2: a y, d \(isPicked ? "null" : "20")", "3: a z, d null"])
      try Self.expectWhole(workshop)
    }
  }

  /// Taking back that a column was added is a drop like any other.
  @Test func aColumnWhoseAdditionWasRevertedDoesNotComeBackWithValues() throws {
    var (workshop, contract) = try Self.three()
    let bare = contract
    contract.columns.append(.init(name: "d", type: "int32"))
    try workshop.apply(contract)
    let addition = try workshop.repository.resolve("main").description
    try workshop.upsert("k,a,c,d\n1,x,7,1\n2,y,8,2\n")
    #expect(try workshop.repository.revert(addition).outcome == .conflict, "its values were given since")
    #expect(try workshop.repository.revert(addition, strategy: .theirs).outcome == .merged)
    #expect(try Self.rows(workshop) == ["1: a x, c 7", "2: a y, c 8", "3: a z, c 9"])
    // What the folder has applied already is not applied again.
    try workshop.apply(bare)
    try workshop.apply(contract)
    #expect(try Self.rows(workshop) == ["1: a x, c 7, d null", "2: a y, c 8, d null", "3: a z, c 9, d null"])
    try Self.expectWhole(workshop)
  }

  @Test func aPickAcrossAWideningKeepsTheBranchsType() throws {
    var (workshop, contract) = try Self.three()
    let repository = workshop.repository
    try repository.createBranch("release", at: nil)
    contract.setType(of: "c", to: "int64")
    try workshop.apply(contract)
    try workshop.upsert("k,a,c\n2,y,20\n")
    try repository.switchBranch(to: "release")
    #expect(try repository.cherryPick("main").outcome == .merged)
    #expect(try Self.rows(workshop, at: "release") == ["1: a x, c 7", "2: a y, c 20", "3: a z, c 9"])
    #expect(try workshop.layout(at: "release").schema["c"]?.type == .int32)
    try workshop.commit("t", workshop.write("more.csv", "k,a,c\n4,w,4\n"))
    #expect(try Self.rows(workshop, at: "release").last == "4: a w, c 4")
    try Self.expectWhole(workshop)
    // What does not fit is refused, with the row.
    try workshop.commit("t", workshop.write("wide.csv", "k,a,c\n2,y,3000000000\n"), .upsert, branch: "main")
    let before = try workshop.state()
    let error = #expect(throws: AlmanacError.self) { try repository.cherryPick("main") }
    #expect(
      error?.description
        == "The result for t was refused: column c would be int32, which cannot hold 3000000000 exactly, the value of the row k=2; "
        + "nothing was changed")
    #expect(error?.kind == .failed)
    #expect(try workshop.state() == before)
  }

  @Test func aWideningThatIsRevertedMakesRowsNarrowWhereTheyFit() throws {
    var (workshop, contract) = try Self.three()
    let repository = workshop.repository
    contract.setType(of: "c", to: "int64")
    try workshop.apply(contract)
    let widening = try repository.resolve("main").description
    try workshop.upsert("k,a,c\n2,y,20\n4,w,4\n")
    _ = try repository.seal()
    #expect(try repository.revert(widening).outcome == .merged)
    #expect(try workshop.layout().schema["c"]?.type == .int32)
    #expect(try Self.rows(workshop) == ["1: a x, c 7", "2: a y, c 20", "3: a z, c 9", "4: a w, c 4"])
    #expect(try workshop.values("c").last == .int(4))
    try workshop.upsert("k,a,c\n1,x,70\n")
    _ = try repository.seal()
    #expect(try Self.rows(workshop) == ["1: a x, c 70", "2: a y, c 20", "3: a z, c 9", "4: a w, c 4"])
    // The same rows in one commit have the same root.
    let other = try Self.three().0
    try other.upsert("k,a,c\n1,x,70\n2,y,20\n4,w,4\n")
    _ = try other.repository.seal()
    #expect(try other.root() == workshop.root())
    try Self.expectWhole(workshop)

    // What the folder has applied already is not applied again.
    contract.setType(of: "c", to: "int32")
    try workshop.apply(contract)
    contract.setType(of: "c", to: "int64")
    try workshop.apply(contract)
    let again = try repository.resolve("main").description
    try workshop.upsert("k,a,c\n3,z,-3000000000\n")
    let error = #expect(throws: AlmanacError.self) { try repository.revert(again) }
    #expect(
      error?.description
        == "The result for t was refused: column c would be int32, which cannot hold -3000000000 exactly, the value of the row k=3; "
        + "nothing was changed")
  }

  @Test func rowsAndContractAtOddsAreReportedAndReplaced() throws {
    let (workshop, _) = try Self.three()
    let repository = workshop.repository
    // As a pick across a widening left it: rows of int64 under a contract of int32.
    let id = try Self.forge(workshop, typeOfC: .int64, definitionsAt: "main")
    let report = try Repository.check(at: repository.folder)
    #expect(report.problems.filter { $0.severity == .damage }.map(\.object) == ["commit \(id)"])
    #expect(
      report.problems.first { $0.severity == .damage }?.detail
        == "the rows of t do not have the columns of its contract: expected c int32, found c int64; check the rows out, and commit them "
        + "with --mode replace")
    #expect(throws: AlmanacError.self) { try workshop.upsert("k,a,c\n1,x,70\n") }
    _ = try repository.checkout("main", "t", to: workshop.path("out.csv"))
    try workshop.commit("t", workshop.path("out.csv"), .replace)
    #expect(try Self.rows(workshop) == ["1: a x, c 7", "2: a y, c 8", "3: a z, c 9"])
    try workshop.upsert("k,a,c\n1,x,70\n")
    #expect(try Self.rows(workshop) == ["1: a x, c 70", "2: a y, c 8", "3: a z, c 9"])
    #expect(try Repository.check(at: repository.folder).problems.filter { $0.severity == .damage }.map(\.object) == ["commit \(id)"])
  }

  /// Both sides took a drop back, each in a commit of its own: what leaves still hold is what both started from.
  @Test func aDropTakenBackOnBothSidesKeepsWhatEachChanged() throws {
    for isSealed in [false, true] {
      var (workshop, contract) = try Self.three(tailPolicy: isSealed ? SimulatedRepository.policy : .standard)
      let repository = workshop.repository
      contract.drop("c")
      try workshop.apply(contract)
      let drop = try repository.resolve("main").description
      if isSealed {
        // Written anew, leaves hold nothing of the column.
        try workshop.upsert("k,a\n1,x2\n2,y2\n3,z2\n")
        _ = try repository.seal()
      }
      try repository.createBranch("other", at: nil)
      #expect(try repository.revert(drop).outcome == .merged)
      try workshop.upsert("k,c\n1,\n2,20\n")
      try repository.switchBranch(to: "other")
      #expect(try repository.revert(drop).outcome == .merged)
      try workshop.upsert("k,c\n3,30\n")
      try repository.switchBranch(to: "main")
      let report = try repository.merge("other")
      let a = isSealed ? ["x2", "y2", "z2"] : ["x", "y", "z"]
      if isSealed {
        // Nobody can tell what the cells were: they conflict wherever the sides differ, and nothing is taken silently.
        #expect(report.outcome == .conflict)
        #expect(report.rowConflicts.map { $0.row.columns } == [["c"], ["c"], ["c"]])
        #expect(try repository.merge("other", strategy: .ours).outcome == .merged)
        #expect(try Self.rows(workshop) == ["1: a \(a[0]), c null", "2: a \(a[1]), c 20", "3: a \(a[2]), c 9"])
      } else {
        #expect(report.outcome == .merged)
        #expect(try Self.rows(workshop) == ["1: a \(a[0]), c null", "2: a \(a[1]), c 20", "3: a \(a[2]), c 30"])
      }
      try Self.expectWhole(workshop)
    }
  }

  /// A null that was set since is not undone by picking the commit that took the drop back, settled or not.
  @Test func pickingATakenBackDropAgainUndoesNoEdit() throws {
    for strategy in [MergeStrategy.fail, .ours, .theirs] {
      var (workshop, contract) = try Self.three()
      contract.drop("c")
      try workshop.apply(contract)
      let back = try workshop.repository.revert("main").commit.description
      try workshop.upsert("k,c\n1,\n2,20\n")
      _ = try workshop.repository.cherryPick(back, strategy: strategy)
      #expect(try Self.rows(workshop) == ["1: a x, c null", "2: a y, c 20", "3: a z, c 9"])
      try Self.expectWhole(workshop)
    }
  }

  /// Values of a wide column under one of its id that comes back narrow: they are neither read nor in the way, and stay away when it is
  /// widened again.
  @Test func wideValuesOfADroppedColumnDoNotComeBackWithANarrowOne() throws {
    for tailPolicy in [TailPolicy.standard, SimulatedRepository.policy] {
      let workshop = try Workshop(tailPolicy: tailPolicy)
      var contract = EvolvingContract([("a", "utf8")])
      contract.keys = [.init(name: "k", type: "int64")]
      contract.settings = "leafRows: 16"
      try workshop.apply(contract)
      try workshop.upsert("k,a\n1,x\n2,y\n")
      contract.columns.append(.init(name: "c", type: "int32"))
      try workshop.apply(contract)
      let addition = try workshop.repository.resolve("main").description
      contract.setType(of: "c", to: "int64")
      try workshop.apply(contract)
      try workshop.upsert("k,c\n1,35184372088832\n2,5\n")
      contract.drop("c")
      try workshop.apply(contract)
      #expect(try workshop.repository.cherryPick(addition).outcome == .merged)
      #expect(try workshop.layout().schema["c"]?.type == .int32)
      #expect(try Self.rows(workshop) == ["1: a x, c null", "2: a y, c null"])
      try Self.expectWhole(workshop)
      try workshop.upsert("k,c\n2,7\n")
      contract = EvolvingContract([("a", "utf8"), ("c", "int32")])
      contract.keys = [.init(name: "k", type: "int64")]
      contract.settings = "leafRows: 16"
      try workshop.apply(contract)
      contract.setType(of: "c", to: "int64")
      try workshop.apply(contract)
      #expect(try Self.rows(workshop) == ["1: a x, c null", "2: a y, c 7"])
      _ = try workshop.repository.seal()
      #expect(try Self.rows(workshop) == ["1: a x, c null", "2: a y, c 7"])
      try Self.expectWhole(workshop)
    }
  }

  /// A widening that is taken back over a value which a later commit replaced, and then emptied.
  @Test func aWideValueThatWasReplacedDoesNotComeBack() throws {
    for tailPolicy in [TailPolicy.standard, SimulatedRepository.policy] {
      var (workshop, contract) = try Self.three(tailPolicy: tailPolicy)
      contract.setType(of: "c", to: "int64")
      try workshop.apply(contract)
      let widening = try workshop.repository.resolve("main").description
      try workshop.upsert("k,c\n1,35184372088832\n")
      _ = try workshop.repository.seal()
      try workshop.upsert("k,c\n1,1\n")
      #expect(try workshop.repository.revert(widening).outcome == .merged)
      #expect(try Self.rows(workshop) == ["1: a x, c 1", "2: a y, c 8", "3: a z, c 9"])
      for _ in 0..<3 {
        try workshop.upsert("k,c\n1,\n")
        try workshop.upsert("k,c\n1,4\n")
      }
      try workshop.upsert("k,c\n1,\n")
      #expect(try Self.rows(workshop) == ["1: a x, c null", "2: a y, c 8", "3: a z, c 9"])
      contract.setType(of: "c", to: "int32")
      try workshop.apply(contract)
      contract.setType(of: "c", to: "int64")
      try workshop.apply(contract)
      #expect(try Self.rows(workshop) == ["1: a x, c null", "2: a y, c 8", "3: a z, c 9"])
      try Self.expectWhole(workshop)
    }
  }

  @Test func aRequiredColumnThatComesBackWithoutValuesIsRefusedWithTheRow() throws {
    var (workshop, contract) = try Self.three()
    contract.columns[1].isRequired = true
    let fresh = try Workshop()
    try fresh.apply(contract)
    try fresh.upsert("k,a,c\n1,x,7\n")
    contract.drop("c")
    try fresh.apply(contract)
    try fresh.upsert("k,a\n2,y\n")
    let before = try fresh.state()
    workshop = fresh
    let error = #expect(throws: AlmanacError.self) { try workshop.repository.revert("main~1") }
    #expect(error?.description.contains("The result for t was refused by its contract; nothing was changed") == true)
    #expect(error?.description.contains("t.c required: 1 of 1 values (error)") == true, "\(error?.description ?? "")")
    #expect(try workshop.state() == before)
  }

  /// `fsck` looks at live values in leaves that are wider than their version.
  @Test func valuesThatTheirTypeCannotHoldAreReported() throws {
    var (workshop, contract) = try Self.three()
    contract.setType(of: "c", to: "int64")
    try workshop.apply(contract)
    try workshop.upsert("k,c\n1,35184372088832\n")
    _ = try Self.forge(workshop, typeOfC: .int32, definitionsAt: "main~2")
    let found = try Repository.check(at: workshop.repository.folder).problems.filter { $0.severity == .damage }
    #expect(found.map(\.detail) == ["column c is int32, and the row k=1 has 35184372088832 in it"])
  }
}
