import Checks
import Columns
import Crypto

/// The types that columns of random histories have.
enum HistoryType: String, Hashable, CaseIterable {
  case int32, int64, float32, float64, utf8, bool
  case timestamp = "'timestamp[us,UTC]'"

  var dataType: DataType {
    switch self {
    case .int32: .int32
    case .int64: .int64
    case .float32: .float32
    case .float64: .float64
    case .utf8: .string
    case .bool: .bool
    case .timestamp: .timestampMicros
    }
  }

  var wider: HistoryType? {
    switch self {
    case .int32: .int64
    case .float32: .float64
    default: nil
    }
  }

  /// The number of the type class in field ids (docs/format/leaf.md).
  var classNumber: Int {
    switch self {
    case .int32, .int64: 1
    case .float32, .float64: 2
    case .bool: 3
    case .utf8: 4
    case .timestamp: 7
    }
  }

  /// Whether a column of this type holds the value without changing it.
  func fits(_ value: HistoryValue) -> Bool {
    switch (self, value) {
    case (_, .null), (.int64, .int), (.float64, .number), (.utf8, .text), (.bool, .flag), (.timestamp, .time): true
    case (.int32, .int(let value)): Int32(exactly: value) != nil
    case (.float32, .number(let value)): Double(Float(value)) == value
    default: false
    }
  }

  /// The value that a small number stands for. From 30 on numbers need the wider type; some are null.
  func value(_ draw: Int) -> HistoryValue {
    if draw % 10 == 4 { return .null }
    switch self {
    case .int32: return .int(Int64(draw % 30))
    case .int64: return .int(draw >= 30 ? Int64(draw) << 40 : Int64(draw))
    case .float32: return .number(Double(draw % 30) / 4)
    case .float64: return .number(draw >= 30 ? Double(draw) / 10 + 0.01 : Double(draw) / 4)
    case .utf8: return .text(draw % 10 == 5 ? "" : "s\(draw)")
    case .bool: return .flag(draw % 2 == 1)
    case .timestamp: return .time(Int64(draw) * 1_000_000)
    }
  }
}

enum HistoryValue: Hashable {
  case null
  case int(Int64)
  case number(Double)
  case text(String)
  case flag(Bool)
  case time(Int64)

  init(_ scalar: Scalar) {
    self =
      switch scalar {
      case .int(let value): .int(value)
      case .float(let value): .number(Double(value))
      case .double(let value): .number(value)
      case .string(let value): .text(value)
      case .bool(let value): .flag(value)
      case .timestamp(let value, _): .time(value)
      default: .null
      }
  }

  var text: String {
    switch self {
    case .null: "null"
    case .int(let value): "\(value)"
    case .number(let value): "\(value)"
    case .text(let value): "'\(value)'"
    case .flag(let value): "\(value)"
    case .time(let value): CivilTime.formatTimestampMicros(value)
    }
  }
}

/// A column at one version. Which column it is says `id`, under every name and width.
struct HistoryField: Hashable {
  let id: Int32
  var name: String
  var type: HistoryType
  var isRequired: Bool
  /// From 1; nil outside the primary key.
  let keyPosition: Int?

  var text: String { "\(name) \(type.rawValue)\(isRequired ? " required" : "")" }

  /// What a merge compares three-way.
  func isDeclaredAs(_ other: HistoryField) -> Bool { name == other.name && type == other.type && isRequired == other.isRequired }
}

typealias HistoryKey = [HistoryValue]

/// What a commit holds: columns by identity, rows by key with values by identity.
struct HistoryVersion {
  var fields: [HistoryField] = []
  /// Whether the dataset has a version: before its first rows there is a contract alone.
  var isThere = true
  /// Ids of columns that the dataset once had; none where it has no version.
  var dropped: Set<Int32> = []
  /// Which of the columns that ever had an id it is: two branches may have added theirs independently.
  var births: [Int32: Int] = [:]
  /// A dropped column keeps its values here, out of sight: they are what taking the drop back compares with.
  var rows: [HistoryKey: [Int32: HistoryValue]] = [:]
  /// What the contract still says of former names, by column.
  var previousNames: [Int32: String] = [:]

  func field(_ id: Int32) -> HistoryField? { fields.first { $0.id == id } }
  func field(named name: String) -> HistoryField? { fields.first { $0.name == name } }
  var keyFields: [HistoryField] { fields.filter { $0.keyPosition != nil }.sorted { $0.keyPosition! < $1.keyPosition! } }
  var valueFields: [HistoryField] { fields.filter { $0.keyPosition == nil } }

  func value(_ id: Int32, of key: HistoryKey) -> HistoryValue { rows[key]?[id] ?? .null }

  /// The rows as one sees them.
  var visibleRows: [HistoryKey: [Int32: HistoryValue]] {
    rows.mapValues { row in Dictionary(uniqueKeysWithValues: fields.map { ($0.id, row[$0.id] ?? .null) }) }
  }

  /// Whether a reader finds no difference but in the order of columns.
  func looksLike(_ other: HistoryVersion) -> Bool {
    Set(fields) == Set(other.fields) && visibleRows == other.visibleRows
  }

  /// Why it cannot be: values that their column's type does not hold, nulls in required columns.
  var misfits: [String] {
    fields.flatMap { field in
      rows.compactMap { key, row -> String? in
        let value = row[field.id] ?? .null
        if value == .null { return field.isRequired ? "\(field.name) is required, null at \(key.text)" : nil }
        return field.type.fits(value) ? nil : "\(field.name) is \(field.type.rawValue), \(value.text) at \(key.text)"
      }.sorted()
    }
  }
}

extension HistoryKey {
  var text: String { map(\.text).joined(separator: "/") }
}

// MARK: Changes of columns

/// A change of the contract; several make one `apply`.
enum HistoryEdit: Hashable {
  case add(String, HistoryType, at: Int)
  case drop(String)
  case rename(String, to: String)
  case widen(String)
  case relax(String)
  case reorder(Int)

  var text: String {
    switch self {
    case .add(let name, let type, let place): "add \(name) \(type.rawValue) at \(place)"
    case .drop(let name): "drop \(name)"
    case .rename(let old, let new): "rename \(old) to \(new)"
    case .widen(let name): "widen \(name)"
    case .relax(let name): "make \(name) nullable"
    case .reorder(let seed): "reorder (\(seed))"
    }
  }
}

/// Field ids as docs/format/repository.md defines them.
enum HistoryFieldIDs {
  static func id(name: String, type: HistoryType, live: Set<Int32>, dropped: Set<Int32>) -> Int32 {
    var incarnation = 0
    var id = number(name, type, incarnation)
    while dropped.contains(id) {
      incarnation += 1
      id = number(name, type, incarnation)
    }
    while id == 0 || live.contains(id) || dropped.contains(id) { id = (id + 1) % (1 << 30) }
    return id
  }

  private static func number(_ name: String, _ type: HistoryType, _ incarnation: Int) -> Int32 {
    let digest = SHA256.hash(data: Array("\(name)\0\(type.classNumber)\0\(incarnation)".utf8))
    return Int32(digest.suffix(4).reduce(UInt64(0)) { $0 << 8 | UInt64($1) } % (1 << 30))
  }
}

extension HistoryVersion {
  static let valueColumnCountMax = 5

  /// The version under a contract with these changes; those that make no sense here are left out.
  /// - Parameter birth: gives each new column a number of its own.
  /// - Returns: nil when nothing is left of them.
  func evolved(_ edits: [HistoryEdit], keepsPreviousNames: Bool, birth: () -> Int) -> HistoryVersion? {
    var next = self
    var isTouched: Set<Int32> = []
    var renameCount = 0
    var added: Int32 = 0
    next.previousNames = keepsPreviousNames ? previousNames.filter { field(named: $0.value) == nil } : [:]
    for edit in edits {
      switch edit {
      case .add(let name, let type, let place):
        // A name that the dataset has until this apply would continue that column.
        guard next.field(named: name) == nil, field(named: name) == nil, next.valueFields.count < Self.valueColumnCountMax else { continue }
        // Its id follows when all that is dropped is known.
        added -= 1
        isTouched.insert(added)
        next.fields.insert(
          HistoryField(id: added, name: name, type: type, isRequired: false, keyPosition: nil), at: min(place, next.fields.count))
      case .drop(let name):
        guard let field = next.field(named: name), field.keyPosition == nil, !isTouched.contains(field.id) else { continue }
        isTouched.insert(field.id)
        next.fields.removeAll { $0.id == field.id }
        next.previousNames[field.id] = nil
        if isThere { next.dropped.insert(field.id) }
      case .rename(let old, let new):
        guard let index = next.fields.firstIndex(where: { $0.name == old }), !isTouched.contains(next.fields[index].id),
          next.field(named: new) == nil, renameCount < 2
        else { continue }
        // Into a name that is in use, only as the second link of a chain.
        if let other = field(named: new), next.field(other.id).map({ $0.name == new }) ?? true { continue }
        renameCount += 1
        isTouched.insert(next.fields[index].id)
        next.fields[index].name = new
        next.previousNames[next.fields[index].id] = old
      case .widen(let name):
        guard let index = next.fields.firstIndex(where: { $0.name == name }), field(next.fields[index].id) != nil,
          let wider = next.fields[index].type.wider
        else { continue }
        next.fields[index].type = wider
      case .relax(let name):
        guard let index = next.fields.firstIndex(where: { $0.name == name }), next.fields[index].keyPosition == nil else { continue }
        next.fields[index].isRequired = false
      case .reorder(let seed):
        var random = SplitMix(UInt64(seed))
        next.fields.shuffle(using: &random)
      }
    }
    for index in next.fields.indices where next.fields[index].id < 0 {
      let field = next.fields[index]
      let live = Set(next.fields.map(\.id))
      let id = HistoryFieldIDs.id(name: field.name, type: field.type, live: live, dropped: next.dropped)
      next.fields[index] = HistoryField(id: id, name: field.name, type: field.type, isRequired: false, keyPosition: nil)
      // Before there are rows, a name and type class that comes back is the column that it was.
      if isThere || next.births[id] == nil { next.births[id] = birth() }
      for key in next.rows.keys { next.rows[key]![id] = nil }
    }
    return next.fields == fields && next.previousNames == previousNames ? nil : next
  }
}
