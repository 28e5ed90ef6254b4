import Checks
import Columns
import Foundation
import History
import JSON
import Tables

/// Which commit gave each column of a row the value it has.
package struct BlameReport: Sendable {
  package struct Line: Sendable {
    package let column: String
    package let value: Scalar
    package let commit: CommitID
    package let author: String
    package let timeMicros: Int64
    package let message: String
  }

  package let dataset: String
  package let key: RowDiff.Values
  /// In the order of the schema.
  package let lines: [Line]
  /// The commit that removed the row, when it is no longer there; the lines are of the row before.
  package let removedBy: CommitID?
}

extension Repository {
  /// The commits that last changed each column of one row.
  ///
  /// History is followed along first parents and, across a merge, into the first parent whose cell is equal. Columns are
  /// followed through renames.
  /// - Parameter key: a value for each key column, in any order.
  /// - Throws: `notFound` for a key that was never there; `usage` for one that does not fit the dataset's key.
  /// - Complexity: one look-up for each version of the dataset back to the oldest of the commits found
  package func blame(_ dataset: String, key: [(String, String)], at spec: String? = nil) throws(AlmanacError) -> BlameReport {
    let start = try resolve(spec ?? "HEAD")
    var walk = BlameWalk(repository: self, dataset: dataset, key: key)
    let (origin, removedBy) = try walk.lastHolder(from: start)
    return try walk.report(from: origin, removedBy: removedBy)
  }
}

private struct BlameWalk {
  let repository: Repository
  let dataset: String
  let key: [(String, String)]
  /// The key by the ids of its columns, once a version had them under the names given: others may have them under other names.
  private var values: [Int32: String]?
  private var commits: [CommitID: Commit] = [:]
  private var rows: [RootID: Batch?] = [:]

  init(repository: Repository, dataset: String, key: [(String, String)]) {
    self.repository = repository
    self.dataset = dataset
    self.key = key
  }

  private mutating func commit(_ id: CommitID) throws(AlmanacError) -> Commit {
    if let known = commits[id] { return known }
    let commit = try repository.commit(id)
    commits[id] = commit
    return commit
  }

  /// The row at a commit, under that version's schema. Versions with one root have one row.
  private mutating func row(_ id: CommitID) throws(AlmanacError) -> Batch? {
    guard let root = try commit(id).datasets[dataset]?.root else { return nil }
    if let known = rows[root] { return known }
    let version = try AlmanacError.translating { try TableVersion(archive: repository.archive, root: root) }
    let key = try scalars(version.layout)
    let row = try AlmanacError.translating { try key.flatMap { try version.row(key: $0) } }
    rows[root] = .some(row)
    return row
  }

  /// The key under a version's layout; nil where it cannot have the row: it has another key, or one of a narrower type.
  private mutating func scalars(_ layout: TableLayout) throws(AlmanacError) -> [Scalar]? {
    let fields = layout.keySchema.fields
    if let values {
      let known = fields.compactMap { field in field.id.flatMap { values[$0] }.flatMap { Self.value($0, field.type) } }
      return known.count == fields.count && fields.count == values.count ? known : nil
    }
    let names = fields.map(\.name).joined(separator: ", ")
    for (name, _) in key where !fields.contains(where: { $0.name == name }) {
      throw AlmanacError(.usage, "\(name) is not a key column of \(dataset)", hint: "Its key is (\(names)).")
    }
    let found = try fields.map { (field) throws(AlmanacError) in
      guard let text = key.first(where: { $0.0 == field.name })?.1 else {
        throw AlmanacError(.usage, "The key of \(dataset) needs a value of \(field.name)", hint: "Its key is (\(names)).")
      }
      guard let value = Self.value(text, field.type) else {
        let forms = field.type == .binary ? ", as 0x and hexadecimal digits or in base64" : ""
        throw AlmanacError(.usage, "Cannot read \(text) as a value of \(field.name): expected \(field.type)\(forms)")
      }
      return value
    }
    values = fields.reduce(into: [:]) { all, field in all[field.id ?? 0] = key.first { $0.0 == field.name }?.1 }
    return found
  }

  /// Integers as `get` and HTTP take them.
  private static func value(_ text: String, _ type: DataType) -> Scalar? {
    switch type {
    case .binary: binary(text)
    case .int8: WholeNumber.parse(text, as: Int8.self).map { .int(Int64($0)) }
    case .int16: WholeNumber.parse(text, as: Int16.self).map { .int(Int64($0)) }
    case .int32: WholeNumber.parse(text, as: Int32.self).map { .int(Int64($0)) }
    case .int64: WholeNumber.parse(text, as: Int64.self).map { .int($0) }
    case .uint8: WholeNumber.parse(text, as: UInt8.self).map { .uint(UInt64($0)) }
    case .uint16: WholeNumber.parse(text, as: UInt16.self).map { .uint(UInt64($0)) }
    case .uint32: WholeNumber.parse(text, as: UInt32.self).map { .uint(UInt64($0)) }
    case .uint64: WholeNumber.parse(text, as: UInt64.self).map { .uint($0) }
    default: Scalar(parsing: text, as: type)
    }
  }

  /// Bytes as a diff shows them, or as a checkout writes them.
  private static func binary(_ text: String) -> Scalar? {
    let digits = Array(text.utf8.dropFirst(2))
    if text.hasPrefix("0x"), digits.count % 2 == 0, digits.allSatisfy({ Character(UnicodeScalar($0)).isHexDigit }) {
      let bytes = stride(from: 0, to: digits.count, by: 2).map {
        UInt8(String(decoding: digits[$0..<$0 + 2], as: UTF8.self), radix: 16) ?? 0
      }
      return .binary(bytes)
    }
    return Data(base64Encoded: text).map { .binary(Array($0)) }
  }

  /// The latest commit that has the row and, if that is not the first one, the commit that removed it.
  mutating func lastHolder(from start: CommitID) throws(AlmanacError) -> (commit: CommitID, removedBy: CommitID?) {
    if try row(start) != nil { return (start, nil) }
    let log = try AlmanacError.translating { try repository.archive.log(from: start) }
    for (id, commit) in log {
      commits[id] = commit
      for parent in commit.parents where try row(parent) != nil { return (parent, id) }
    }
    guard log.contains(where: { $0.1.datasets[dataset] != nil }) else {
      throw repository.unknownDataset(dataset, known: Array(try commit(start).datasets.keys), at: "commit \(start.short)")
    }
    let text = key.map { "\($0.0)=\($0.1)" }.joined(separator: ", ")
    throw AlmanacError(.notFound, "There never was a row (\(text)) in \(dataset) at \(start.short) or before")
  }

  mutating func report(from origin: CommitID, removedBy: CommitID?) throws(AlmanacError) -> BlameReport {
    guard let found = try row(origin), let root = try commit(origin).datasets[dataset]?.root else {
      throw AlmanacError(.io, "The row of \(dataset) at \(origin.short) has gone while it was read")
    }
    let layout = try AlmanacError.translating { try TableVersion(archive: repository.archive, root: root).layout }
    var open: [CommitID: [Int32]] = [origin: found.schema.fields.compactMap(\.id)]
    var blamed: [Int32: CommitID] = [:]
    while let id = open.keys.max(by: { (commits[$0]?.timeMicros ?? 0, $0) < (commits[$1]?.timeMicros ?? 0, $1) }) {
      var fields = open.removeValue(forKey: id) ?? []
      let own = try row(id)
      for parent in try commit(id).parents where !fields.isEmpty {
        _ = try commit(parent)
        let other = try row(parent)
        let same = fields.filter { Self.isSame($0, own, other) }
        guard !same.isEmpty else { continue }
        open[parent, default: []] += same
        fields.removeAll(where: same.contains)
      }
      for field in fields { blamed[field] = id }
    }
    var lines: [BlameReport.Line] = []
    for (field, column) in zip(found.schema.fields, found.columns) {
      guard let id = field.id.flatMap({ blamed[$0] }) else { continue }
      let source = try commit(id)
      lines.append(
        BlameReport.Line(
          column: field.name, value: column.scalar(at: 0), commit: id, author: source.author, timeMicros: source.timeMicros,
          message: source.message))
    }
    let values = layout.primaryKey.map { (name: $0, value: found[$0]!.scalar(at: 0)) }
    return BlameReport(dataset: dataset, key: values, lines: lines, removedBy: removedBy)
  }

  /// Whether both have the row and the field, with one value.
  private static func isSame(_ field: Int32, _ a: Batch?, _ b: Batch?) -> Bool {
    guard let a, let b, let i = a.schema.fields.firstIndex(where: { $0.id == field }),
      let j = b.schema.fields.firstIndex(where: { $0.id == field })
    else { return false }
    let (x, y) = (a.columns[i], b.columns[j])
    if x.type == y.type { return x.equalsExactly(y) }
    // One of the two has been widened.
    guard let wide = try? y.cast(to: x.type) else { return (try? x.cast(to: y.type))?.equalsExactly(y) ?? false }
    return x.equalsExactly(wide)
  }
}
