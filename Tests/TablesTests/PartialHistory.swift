import Columns
import History
import Objects
import Tables

/// A random history of one table whose upserts lack columns, beside a plain model: a dictionary of rows by key.
struct PartialHistory {
  /// Where the event time stands, and whether it divides the rows.
  enum Shape: CaseIterable { case monthly, timeInKey, timeOutside }

  typealias Model = [[Scalar]: [Scalar]]

  let archive: Archive
  let layout: TableLayout
  let writer: TableWriter
  let shape: Shape
  var random: SeededRandom
  var model: Model = [:]
  var versions: [(version: TableVersion?, model: Model)] = [(nil, [:])]
  /// How often each way was taken.
  var counts = (memory: 0, runs: 0, streams: 0, tails: 0)

  init(seed: Int) throws {
    random = SeededRandom(seed: UInt64(seed))
    shape = Shape.allCases[seed % Shape.allCases.count]
    archive = try Archive.create(on: MemoryVolume(), catalog: Catalog.inMemory())
    let isKey = shape != .timeOutside
    let schema = FieldIDs.assign(
      to: Schema([
        Field("user", .int64, isNullable: false), Field("amount", .float64), Field("time", .timestampMicros, isNullable: !isKey),
        Field("note", .string), Field("id", .string, isNullable: false), Field("flag", .bool), Field("small", .int16),
      ]))
    layout = TableLayout(
      schema: schema, primaryKey: isKey ? ["user", "time", "id"] : ["user", "id"], eventTime: "time", createdTime: nil,
      partitioning: shape == .monthly ? .month : .none, leafRowCount: 16)
    writer = TableWriter(archive: archive, layout: layout, policy: TailHistory.policy)
  }

  var version: TableVersion? { versions[versions.count - 1].version }
  private var keyPositions: [Int] { layout.keyIndices }
  private var others: [Int] { layout.schema.fields.indices.filter { !keyPositions.contains($0) } }
  private func key(_ row: [Scalar]) -> [Scalar] { keyPositions.map { row[$0] } }

  // MARK: Rows

  private mutating func randomRow() -> [Scalar] {
    let user = Scalar.int(Int64.random(in: 0..<8, using: &random))
    let amounts: [Scalar] = [.null, .double(1), .double(-0.0), .double(.nan)]
    let notes: [Scalar] = [.null, .string(""), .string(String(repeating: "x", count: Int.random(in: 0..<400, using: &random)))]
    let flags: [Scalar] = [.null, .bool(true), .bool(false)]
    let small: Scalar = Bool.random(using: &random) ? .null : .int(Int64.random(in: -300...300, using: &random))
    let days = Int64.random(in: -20..<60, using: &random) / 10 * 10
    return [
      user, amounts.randomElement(using: &random)!, .timestamp(days * 86_400_000_000, .microsecond), notes.randomElement(using: &random)!,
      .string("k\(Int.random(in: 0..<4, using: &random))"), flags.randomElement(using: &random)!, small,
    ]
  }

  /// Rows of distinct keys, some of them of keys that are there.
  private mutating func randomRows() -> [[Scalar]] {
    var rows: Model = [:]
    for _ in 0..<Int.random(in: 1...(Bool.random(using: &random) ? 4 : 80), using: &random) {
      let row = randomRow()
      rows[key(row)] = row
    }
    return rows.values.sorted { "\($0)" < "\($1)" }.shuffled(using: &random)
  }

  private func batch(_ rows: [[Scalar]]) -> Batch {
    Batch(
      schema: layout.schema, columns: layout.schema.fields.indices.map { i in Column(layout.schema.fields[i].type, rows.map { $0[i] }) },
      rowCount: rows.count)
  }

  // MARK: Steps

  mutating func step() throws {
    switch Int.random(in: 0..<12, using: &random) {
    case 0..<7: try upsertPartially()
    case 7:
      let rows = randomRows().filter { model[key($0)] == nil }
      for row in rows { model[key(row)] = row }
      try note(writer.apply(.append, batch(rows), onto: version))
    case 8..<10:
      let rows = randomRows()
      for row in rows { model[key(row)] = nil }
      try note(writer.apply(.delete, batch(rows), onto: version))
    case 10:
      let rows = randomRows()
      model = Dictionary(uniqueKeysWithValues: rows.map { (key($0), $0) })
      try note(writer.apply(.replace, batch(rows), onto: version))
    default: if let version { try add(writer.seal(version)) }
    }
  }

  private mutating func upsertPartially() throws {
    var rows = randomRows()
    // Some rows say what is there already.
    for index in rows.indices where Int.random(in: 0..<3, using: &random) == 0 { rows[index] = model[key(rows[index])] ?? rows[index] }
    var shapes = RowShapes()
    var sets: [[Int]] = []
    var common: [Int] = []
    let isPerRow = Bool.random(using: &random)
    for index in rows.indices {
      if isPerRow || index % 7 == 0 { common = others.filter { _ in Bool.random(using: &random) } }
      sets.append(common)
    }
    let memory = [1 << 30, 24_000, 6_000, 900].randomElement(using: &random)!
    var collector = InputCollector(archive: archive, layout: layout, memoryByteCount: memory)
    for start in stride(from: 0, to: rows.count, by: 7) {
      let part = start..<min(start + 7, rows.count)
      let sent = part.map { row in rows[row].indices.map { sets[row].contains($0) ? Scalar.null : rows[row][$0] } }
      let numbers = part.map { shapes.number(of: sets[$0]) }
      try collector.add(batch(sent), shapes: numbers.allSatisfy { $0 == 0 } ? nil : numbers)
    }
    let input = try collector.finish(shapes: shapes)
    let witness = Witness()
    let outcome = try writer.apply(.upsert, input, onto: version, observer: witness)
    var expected: [Int: (row: [Scalar], exists: Bool)] = [:]
    for (number, row) in rows.enumerated() {
      let old = model[key(row)]
      let whole = row.indices.map { sets[number].contains($0) ? old?[$0] ?? .null : row[$0] }
      model[key(row)] = whole
      if !sets[number].isEmpty { expected[number] = (whole, old != nil) }
    }
    switch input {
    case .batches: break
    case .partial: counts.memory += 1
    case .runs: counts.runs += 1
    }
    counts.streams += witness.restartCount
    try note(outcome)
    guard witness.isSettled || expected.isEmpty, witness.isRight(expected) else {
      throw TableError(.input, "The rows that were completed are not those that lacked columns")
    }
  }

  private mutating func note(_ outcome: ChangeOutcome) throws {
    guard case .content(let content) = outcome else { throw TableError(.input, "The change conflicts") }
    try add(content)
  }

  private mutating func add(_ content: TableContent) throws {
    let version = try publish(content)
    counts.tails = max(counts.tails, version.tails.entries.count)
    versions.append((version, model))
  }

  func publish(_ content: TableContent) throws -> TableVersion {
    var draft = archive.draft()
    let root = content.addRoot(to: &draft)
    let tip = try archive.refs().first { $0.name == "main" }?.commit
    let commit = Commit(
      parents: tip.map { [$0] } ?? [], datasets: ["t": DatasetRef(root: root, rows: content.rowCount)],
      definitions: draft.addBlob([]), author: "a", message: "m", timeMicros: 1, inputs: [], producer: [:], verdicts: nil)
    let id = draft.addCommit(commit)
    _ = try archive.publish(&draft, commit: id, to: "main", expecting: tip, reason: "test")
    return try TableVersion(archive: archive, root: root)
  }

  /// The root of a table that starts with the rows of the model.
  func reference() throws -> RootID? {
    let other = try Archive.create(on: MemoryVolume(), catalog: Catalog.inMemory())
    guard case .content(let content) = try TableWriter(archive: other, layout: layout).apply(.append, batch(Array(model.values)), onto: nil)
    else { return nil }
    var draft = other.draft()
    return content.addRoot(to: &draft)
  }

  /// Whether a version reads back as the model says, whatever its order.
  static func isSame(_ version: TableVersion?, _ model: Model, key: [Int]) throws -> Bool {
    let rows = try version.map { TailHistory.scalars(try $0.read()) } ?? []
    guard rows.count == model.count, version?.rowCount ?? 0 == rows.count else { return false }
    return rows.allSatisfy { row in model[key.map { row[$0] }].map { TailHistory.sameRow($0, row) } ?? false }
  }
}

/// Remembers the completed rows of a change.
private final class Witness: CompletionObserver {
  private(set) var restartCount = 0
  private(set) var isSettled = false
  private var found: [(inputRow: Int, row: [Scalar], exists: Bool)] = []

  func restart() {
    restartCount += 1
    found = []
  }

  func note(_ rows: CompletedRows) {
    let scalars = TailHistory.scalars(rows.rows)
    for (row, number) in rows.origins.inputRows.enumerated() where rows.origins.shapes[row] != 0 {
      found.append((number, scalars[row], rows.exists[row]))
    }
  }

  func settle() { isSettled = true }

  func isRight(_ expected: [Int: (row: [Scalar], exists: Bool)]) -> Bool {
    found.count == expected.count
      && found.allSatisfy { item in
        expected[item.inputRow].map { $0.exists == item.exists && TailHistory.sameRow($0.row, item.row) } ?? false
      }
  }
}
