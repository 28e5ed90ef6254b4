import Columns
import History
import JSON
import Objects
import Testing

@testable import Almanac
@testable import Tables

/// Rows that are not where their keys belong, in objects that are all what their ids name: `fsck` reads the keys.
@Suite struct RowDamageTests {
  /// A dataset of (bool, int64) keys with leaves of about 16 rows, its rows, and what lies beneath.
  private struct Store {
    let archive: Archive
    let layout: TableLayout

    init(partitioning: Partitioning = .none) throws {
      archive = try Archive.create(on: MemoryVolume(), catalog: Catalog.inMemory())
      let fields = [
        Field("b", .bool, isNullable: false), Field("at", .timestampMicros, isNullable: false), Field("v", .int64),
      ]
      layout = TableLayout(
        schema: FieldIDs.assign(to: Schema(fields)), primaryKey: ["b", "at"], eventTime: "at", createdTime: nil,
        partitioning: partitioning, leafRowCount: 16)
    }

    typealias Row = (b: Bool, day: Int64, v: Int64)

    func batch(_ rows: [Row]) -> Batch {
      Batch(
        schema: layout.schema,
        columns: [
          Column(.bool, rows.map { .bool($0.b) }),
          Column(.timestampMicros, rows.map { .timestamp($0.day * 86_400_000_000, .microsecond) }),
          Column(.int64, rows.map { .int($0.v) }),
        ], rowCount: rows.count)
    }

    func key(_ row: Row) throws -> [UInt8] { try KeyEncoder.encode(Array(batch([row]).columns.prefix(2)), row: 0) }

    /// A leaf of these rows as they come, under the keys of its first and last row, or of others.
    func leaf(_ rows: [Row], as first: Row? = nil, to last: Row? = nil) throws -> LeafEntry {
      let (firstKey, lastKey) = (try key(first ?? rows[0]), try key(last ?? rows[rows.count - 1]))
      return try LeafJob(rows: [batch(rows)], firstKey: firstKey, lastKey: lastKey).write(layout: layout, to: archive).entry
    }

    /// Publishes a version with these leaves by partition, and tails over them.
    func publish(_ partitions: [(number: Int64, leaves: [LeafEntry])], tails: TailList = TailList()) throws -> TableVersion {
      var draft = archive.draft()
      let entries = partitions.map { number, leaves in
        PartitionEntry(number: number, tree: draft.addPartitionTree(leaves), rowCount: leaves.reduce(0) { $0 + $1.rowCount })
      }
      let root = draft.addRoot(schema: layout.schemaJSON, layout: layout.layoutJSON, partitions: entries, tails: tails)
      return try publish(&draft, root, entries.reduce(tails.addedRowCount) { $0 + $1.rowCount })
    }

    func publish(_ content: TableContent) throws -> TableVersion {
      var draft = archive.draft()
      let root = content.addRoot(to: &draft)
      return try publish(&draft, root, content.rowCount)
    }

    private func publish(_ draft: inout Draft, _ root: RootID, _ rowCount: Int) throws -> TableVersion {
      let tip = try archive.refs().first?.commit
      let commit = draft.addCommit(
        Commit(
          parents: tip.map { [$0] } ?? [], datasets: ["t": DatasetRef(root: root, rows: rowCount)],
          definitions: draft.addBlob(Definitions().json.canonicalBytes), author: "a", message: "m", timeMicros: 1))
      #expect(try archive.publish(&draft, commit: commit, to: "main", expecting: tip, reason: "test") == .moved)
      return try TableVersion(archive: archive, root: root)
    }

    func problems() throws -> [CheckReport.Problem] {
      try archive.check(decoder: Repository.identity, tailCheck: Repository.tailProblems, contents: Repository.contents).problems
    }

    /// Of the newest version, without ids.
    func details() throws -> [String] {
      let tip = try archive.refs().first?.commit
      return try problems().filter { $0.touches.contains { $0.commit == tip } }.map { problem in
        problem.detail.split(separator: " ").map { $0.count == 64 ? "ID" : $0.count == 65 ? "ID\($0.last!)" : String($0) }
          .joined(separator: " ")
      }
    }

    /// Replaces all rows by those that a version gives, each key once, and checks that nothing is wrong with the result.
    func replace(_ version: TableVersion, _ policy: TailPolicy = .standard, place: SourceLocation = #_sourceLocation) throws {
      let all = try version.read()
      let keys = Array(all.columns.prefix(2))
      let sorted = SortKernel.permutation(by: keys).map { all.take($0) } ?? all
      let rows = sorted.take(SortKernel.distinctRows(in: Array(sorted.columns.prefix(2))))
      let outcome = try TableWriter(archive: archive, layout: layout, policy: policy).apply(.replace, rows, onto: version)
      guard case .content(let content) = outcome else {
        Issue.record("the replacement conflicts", sourceLocation: place)
        return
      }
      let next = try publish(content)
      #expect(try details() == [], sourceLocation: place)
      #expect(next.rowCount == rows.rowCount, sourceLocation: place)
      // A diff of what is damaged ends, whatever it says: no trap.
      _ = try? RowDiff.between(version, next, withRows: true)
      _ = try? RowDiff.between(next, version, withRows: true)
      // The rows in one commit.
      let other = try Store(partitioning: layout.partitioning)
      guard case .content(let whole) = try TableWriter(archive: other.archive, layout: layout).apply(.append, rows, onto: nil) else {
        return
      }
      #expect(try other.publish(whole).rootID == next.rootID, sourceLocation: place)
    }
  }

  /// Ten rows, in order.
  private let ten: [Store.Row] = (0..<10).map { ($0 >= 5, Int64($0), Int64($0)) }

  @Test func rowsInOrderAreSound() throws {
    let store = try Store()
    let version = try store.publish([(0, [store.leaf(ten)])])
    #expect(try store.problems() == [])
    try store.replace(version)
  }

  @Test func rowsOutOfOrderAreNoticed() throws {
    let store = try Store()
    var rows = ten
    rows.swapAt(3, 7)
    let leaf = try store.leaf(rows)
    let version = try store.publish([(0, [leaf])])
    let problems = try store.problems()
    #expect(problems.map(\.object) == ["leaf \(leaf.id)"])
    #expect(problems.map(\.path) == ["leaves/\(leaf.id.hex.prefix(2))/\(leaf.id.hex.dropFirst(2)).parquet"])
    #expect(
      try store.details() == [
        "its rows 4 and 5 are not in the order of the key: (false, 1970-01-05T00:00:00.000000Z) stands behind (true, 1970-01-08T00:00:00.000000Z)"
      ])
    #expect(problems[0].touches.map(\.rowCount) == [10])
    try store.replace(version)
  }

  @Test func aKeyThatComesTwiceIsNoticed() throws {
    let store = try Store()
    let version = try store.publish([(0, [store.leaf(Array(ten.prefix(4)) + [ten[3]] + ten.dropFirst(4))])])
    #expect(try store.details() == ["its rows 4 and 5 have one key: (false, 1970-01-04T00:00:00.000000Z)"])
    try store.replace(version)
    let apart = try store.publish([(0, [store.leaf([ten[3]] + ten)])])
    #expect(
      try store.details() == [
        "its rows 1 and 2 are not in the order of the key: (false, 1970-01-01T00:00:00.000000Z) stands behind (false, 1970-01-04T00:00:00.000000Z)",
        "its rows 1 and 5 have one key: (false, 1970-01-04T00:00:00.000000Z)",
      ])
    try store.replace(apart)
  }

  @Test func keysThatTheTreeMakesUpAreNoticed() throws {
    let store = try Store()
    let version = try store.publish([(0, [store.leaf(ten, to: (true, 99, 0))])])
    #expect(
      try store.details() == [
        "leaf ID is not what it says: expected keys (false, 1970-01-01T00:00:00.000000Z) to (true, 1970-04-10T00:00:00.000000Z), "
          + "found (false, 1970-01-01T00:00:00.000000Z) to (true, 1970-01-10T00:00:00.000000Z)"
      ])
    try store.replace(version)
  }

  @Test func leavesThatOverlapAreNoticed() throws {
    let store = try Store()
    let (low, high) = (ten.filter { $0.day % 2 == 0 }, ten.filter { $0.day % 2 == 1 })
    // Under keys that do not overlap, and under their own.
    let hidden = try store.publish([(0, [store.leaf(low, to: low[0]), store.leaf(high, as: high[0])])])
    let details = try store.details()
    #expect(details.count == 3, "\(details)")
    #expect(
      details.contains(
        "its leaf ID begins with (false, 1970-01-02T00:00:00.000000Z), which is not behind (true, 1970-01-09T00:00:00.000000Z), "
          + "with which leaf ID ends"), "\(details)")
    try store.replace(hidden)
    let open = try store.publish([(0, [store.leaf(low), store.leaf(high)])])
    #expect(try store.details().contains("the keys of its entry 2 do not ascend"))
    #expect(try open.read().rowCount == 10)
    #expect(throws: StoreError.self) { try open.row(key: [.bool(true), .timestamp(0, .microsecond)]) }
    try store.replace(open)
  }

  @Test func leavesThatAreCutElsewhereAreNoticed() throws {
    let store = try Store()
    let rows: [Store.Row] = (0..<200).map { ($0 >= 77, Int64($0), Int64($0)) }
    guard
      case .content(let content) = try TableWriter(archive: store.archive, layout: store.layout).apply(
        .append, store.batch(rows), onto: nil)
    else { return }
    let sound = try store.publish(content)
    let counts = try sound.leaves().map(\.rowCount)
    #expect(counts.count > 5)
    // The first two leaves as one, and one that ends a row too early.
    let joined = try store.leaf(Array(rows.prefix(counts[0] + counts[1])))
    let version = try store.publish([(0, [joined] + sound.leaves().dropFirst(2))])
    #expect(try store.details() == ["it goes on behind its row \(counts[0]), where a leaf ends"])
    try store.replace(version)
    let early = [try store.leaf(Array(rows.prefix(counts[0] - 1))), try store.leaf(Array(rows[(counts[0] - 1)..<(counts[0] + counts[1])]))]
    let other = try store.publish([(0, early + sound.leaves().dropFirst(2))])
    #expect(try store.details().contains("its leaf ID ends where no leaf ends"))
    try store.replace(other)
  }

  @Test func rowsOfAnotherPartitionAreNoticed() throws {
    let store = try Store(partitioning: .month)
    let rows: [Store.Row] = [(false, 3, 1), (false, 40, 2), (true, 5, 3)]
    let version = try store.publish([(0, [store.leaf(rows)])])
    #expect(try store.details() == ["its row 2 belongs to partition 1, not 0"])
    try store.replace(version)
    // One leaf as two partitions.
    let leaf = try store.leaf([(false, 3, 1)])
    let twice = try store.publish([(0, [leaf]), (5, [leaf])])
    let details = try store.details()
    #expect(details.contains("its row 1 belongs to partition 0, not 5"), "\(details)")
    #expect(details.contains("it names node ID twice"), "\(details)")
    try store.replace(twice)
  }

  @Test func aTreeThatNamesALeafTwiceIsNoticed() throws {
    let store = try Store()
    let leaf = try store.leaf(ten)
    let other = LeafEntry(firstKey: try store.key((true, 50, 0)), lastKey: try store.key((true, 60, 0)), rowCount: 10, id: leaf.id)
    let version = try store.publish([(0, [leaf, other])])
    let details = try store.details()
    #expect(details.contains("it names leaf ID twice"), "\(details)")
    try store.replace(version)
  }

  @Test func aTreeThatMiscountsALeafIsNoticed() throws {
    let store = try Store()
    let leaf = try store.leaf(ten)
    let wrong = LeafEntry(firstKey: leaf.firstKey, lastKey: leaf.lastKey, rowCount: 12, id: leaf.id)
    let version = try store.publish([(0, [wrong])])
    #expect(try store.details() == ["leaf ID is not what it says: expected 12 rows, found 10"])
    try store.replace(version)
  }

  // MARK: Tails

  /// A tail of these operations.
  private func tail(_ rows: [(row: Store.Row, code: RowOperation)], sequence: Int, _ store: Store) throws -> TailEntry {
    let operations = RowOperations(rows: store.batch(rows.map(\.row)), codes: rows.map(\.code), primaryKey: store.layout.primaryKey)
    return try TailFile.write([(0, operations)], sequence: sequence, layout: store.layout, to: store.archive)
  }

  @Test func tailsThatSayWhatIsNotSoAreNoticed() throws {
    let store = try Store()
    let leaves = [try store.leaf(ten)]
    // All of these are as they should be.
    let update = try tail([(ten[2], .update), ((true, 20, 1), .insert)], sequence: 1, store)
    let delete = try tail([(ten[2], .delete), ((true, 20, 1), .update)], sequence: 2, store)
    let again = try tail([(ten[2], .insert)], sequence: 3, store)
    let sound = try store.publish([(0, leaves)], tails: TailList([update, delete, again]))
    #expect(try store.problems() == [])
    #expect(sound.rowCount == 11)
    // Over other tails the same is not.
    let version = try store.publish([(0, leaves)], tails: TailList([update, again]))
    #expect(
      try store.details() == [
        "its insert of (false, 1970-01-03T00:00:00.000000Z) in partition 0 is of a key that is there already below it"
      ])
    #expect(version.rowCount == 12)
    #expect(try version.read().rowCount == 11)
    try store.replace(version, TailPolicy(rewrittenRowCountMin: 1, rewrittenRowFactor: 1, mergeCount: 9, sizeClassFactor: 4, foldFactor: 1))
    _ = try store.publish([(0, leaves)], tails: TailList([delete]))
    #expect(
      try store.details() == ["its update of (true, 1970-01-21T00:00:00.000000Z) in partition 0 is of a key that is not there below it"])
    let gone = try tail([((false, 77, 1), .delete)], sequence: 1, store)
    let last = try store.publish([(0, leaves)], tails: TailList([gone]))
    #expect(
      try store.details() == ["its delete of (false, 1970-03-19T00:00:00.000000Z) in partition 0 is of a key that is not there below it"])
    try store.replace(last)
  }

  @Test func tailsOutOfOrderAreNoticed() throws {
    let store = try Store()
    let leaves = [try store.leaf(ten)]
    let wrong = try tail([(ten[7], .update), (ten[2], .update)], sequence: 1, store)
    let version = try store.publish([(0, leaves)], tails: TailList([wrong]))
    #expect(try store.details() == ["tail ID: the keys of partition 0 do not ascend"])
    try store.replace(version)
  }

  // MARK: Definitions

  @Test(arguments: [
    ("{", "JSON"), ("[]", "expected an object with contracts and features, found []"),
    ("{}", "expected an object with contracts and features, found {}"),
    ("{\"contracts\":{\"t\":{}},\"features\":{}}", "The stored contract has no name"),
  ]) func definitionsThatAreNoneAreNoticed(text: String, expected: String) throws {
    let store = try Store()
    let version = try store.publish([(0, [store.leaf(ten)])])
    let tip = try #require(try store.archive.refs().first?.commit)
    var draft = store.archive.draft()
    let blob = draft.addBlob(Array(text.utf8))
    let commit = draft.addCommit(
      Commit(
        parents: [tip], datasets: ["t": DatasetRef(root: version.rootID, rows: 10)], definitions: blob, author: "a", message: "m",
        timeMicros: 2))
    #expect(try store.archive.publish(&draft, commit: commit, to: "main", expecting: tip, reason: "test") == .moved)
    let problems = try store.problems()
    #expect(problems.map(\.object) == ["blob \(blob)"])
    #expect(problems.first?.detail.hasPrefix("commit \(commit) names it as its definitions, and it holds none: ") ?? false)
    #expect(problems.first?.detail.contains(expected) ?? false, "\(problems)")
    #expect(problems.first?.touches.map(\.commit) == [commit])
  }
}
