import Columns
import History
import Tables

/// A random history of one table beside a plain model of it: a dictionary of rows by key.
struct TailHistory {
  /// So small that a few rows pass through tails, merges of tails and folds.
  static let policy = TailPolicy(rewrittenRowCountMin: 24, rewrittenRowFactor: 2, mergeCount: 3, sizeClassFactor: 3, foldFactor: 2)

  struct Key: Hashable {
    let user: Int64
    let day: Int64
    let id: Int64
  }

  typealias Model = [Key: [Scalar]]

  let fixture: TableFixture
  let writer: TableWriter
  var random: SeededRandom
  var model: Model = [:]
  /// Every version with what it has to hold.
  var versions: [(version: TableVersion?, model: Model)] = [(nil, [:])]
  var tailCountMax = 0

  init(seed: Int) throws {
    fixture = try TableFixture(leafRowCount: 16)
    writer = TableWriter(archive: fixture.archive, layout: fixture.layout, policy: Self.policy)
    random = SeededRandom(seed: UInt64(seed))
  }

  var version: TableVersion? { versions[versions.count - 1].version }

  private mutating func randomKey() -> Key {
    // Three months, few enough keys that they meet again.
    Key(
      user: Int64.random(in: 0..<12, using: &random), day: Int64.random(in: -20..<60, using: &random) / 10 * 10,
      id: Int64.random(in: 0..<3, using: &random))
  }

  private mutating func randomRow(_ key: Key) -> [Scalar] {
    let amount: [Scalar] = [.null, .double(1), .double(2), .double(.nan)]
    let note: [Scalar] = [.null, .string(""), .string("x")]
    return Self.keyScalars(key) + [amount.randomElement(using: &random)!, note.randomElement(using: &random)!, .null]
  }

  static func keyScalars(_ key: Key) -> [Scalar] {
    [.int(key.user), .timestamp(key.day * 86_400_000_000, .microsecond), .string("k\(key.id)")]
  }

  /// One random change of the table and the model. - Throws: `TableError` for what should not have been refused.
  mutating func step() throws {
    var keys: Set<Key> = []
    let count = Int.random(in: 1...(Bool.random(using: &random) ? 4 : 60), using: &random)
    while keys.count < count { keys.insert(randomKey()) }
    let wanted = Array(keys).sorted { ($0.user, $0.day, $0.id) < ($1.user, $1.day, $1.id) }.shuffled(using: &random)
    switch Int.random(in: 0..<12, using: &random) {
    case 0..<3:
      let new = wanted.filter { model[$0] == nil }
      try change(.append, new.map { randomRow($0) }, new)
    case 3..<7:
      // Some rows stay as they are.
      let rows = wanted.map { key in Bool.random(using: &random) ? model[key] ?? randomRow(key) : randomRow(key) }
      try change(.upsert, rows, wanted)
    case 7..<9: try change(.delete, wanted.map { Self.keyScalars($0) + [.null, .null, .null] }, wanted)
    case 9: try replace(wanted)
    case 10: try changeBoth(wanted)
    default: try seal()
    }
  }

  private mutating func change(_ mode: ChangeMode, _ rows: [[Scalar]], _ keys: [Key]) throws {
    for (key, row) in zip(keys, rows) { model[key] = mode == .delete ? nil : row }
    try note(writer.apply(mode, fixture.batch(rows), onto: version))
  }

  private mutating func replace(_ keys: [Key]) throws {
    // Half of what is there, and some more.
    var next = model.filter { _ in true }
    for key in model.keys.sorted(by: { ($0.user, $0.day, $0.id) < ($1.user, $1.day, $1.id) }) where Bool.random(using: &random) {
      next[key] = nil
    }
    for key in keys { next[key] = randomRow(key) }
    model = next
    try note(writer.apply(.replace, fixture.batch(Array(next.values)), onto: version))
  }

  private mutating func changeBoth(_ keys: [Key]) throws {
    let gone = Array(keys.prefix(keys.count / 2))
    let kept = Array(keys.dropFirst(keys.count / 2))
    let rows = kept.map { randomRow($0) }
    for key in gone { model[key] = nil }
    for (key, row) in zip(kept, rows) { model[key] = row }
    let deletes = fixture.batch(gone.map { Self.keyScalars($0) + [.null, .null, .null] }).selecting(fixture.layout.primaryKey)!
    try note(writer.apply(RowChange(upserts: fixture.batch(rows), deletes: deletes), onto: version))
  }

  private mutating func note(_ outcome: ChangeOutcome) throws {
    guard case .content(let content) = outcome else { throw TableError(.input, "The change conflicts") }
    try add(content)
  }

  private mutating func add(_ content: TableContent) throws {
    let version = try fixture.publish(content)
    tailCountMax = max(tailCountMax, version.tails.entries.count)
    versions.append((version, model))
  }

  mutating func seal() throws {
    if let version { try add(writer.seal(version)) }
  }

  // MARK: What has to hold

  /// The rows of the model in the order of (partition, key).
  static func rows(_ model: Model) -> [[Scalar]] {
    model.keys.sorted { a, b in
      let (m, n) = (CivilTime.monthNumber(ofMicros: a.day * 86_400_000_000), CivilTime.monthNumber(ofMicros: b.day * 86_400_000_000))
      return (m, a.user, a.day, a.id) < (n, b.user, b.day, b.id)
    }.map { model[$0]! }
  }

  static func scalars(_ batch: Batch) -> [[Scalar]] {
    (0..<batch.rowCount).map { row in batch.columns.map { $0.scalar(at: row) } }
  }

  /// Added, removed and changed rows between two models.
  static func counts(_ a: Model, _ b: Model) -> [Int] {
    let added = b.keys.count { a[$0] == nil }
    let removed = a.keys.count { b[$0] == nil }
    let changed = a.count { key, row in b[key].map { !sameRow($0, row) } ?? false }
    return [added, removed, changed]
  }

  static func sameRow(_ a: [Scalar], _ b: [Scalar]) -> Bool { zip(a, b).allSatisfy(same) }

  static func same(_ a: Scalar, _ b: Scalar) -> Bool {
    if case .double(let x) = a, case .double(let y) = b { return x == y || (x.isNaN && y.isNaN) }
    return a == b
  }
}
