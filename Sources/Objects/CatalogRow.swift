import Foundation
import GRDB

/// A row of the catalog as somebody else may have left it: SQLite keeps any type of value in any column, and a damaged file or
/// another program can put there what this one never writes.
///
/// Every value is looked at before it is used, so that what cannot be is an error and not a trap.
struct CatalogRow {
  let row: Row
  /// For messages, with the path of the catalog.
  let table: String
  let path: String

  /// No file is longer, so that sums of lengths and offsets stay far from overflow.
  static let byteCountMax: Int64 = 1 << 48

  func integer(_ index: Int, _ column: String, in range: ClosedRange<Int64> = .min ... .max) throws -> Int64 {
    let value: DatabaseValue = row[index]
    guard case .int64(let number) = value.storage, range.contains(number) else {
      let bounds = range == .min ... .max ? "" : " from \(range.lowerBound) to \(range.upperBound)"
      throw corrupt("expected an integer\(bounds) as \(column)", value)
    }
    return number
  }

  func optionalInteger(_ index: Int, _ column: String, in range: ClosedRange<Int64>) throws -> Int64? {
    row.hasNull(atIndex: index) ? nil : try integer(index, column, in: range)
  }

  func text(_ index: Int, _ column: String) throws -> String {
    let value: DatabaseValue = row[index]
    guard case .string(let text) = value.storage else { throw corrupt("expected text as \(column)", value) }
    return text
  }

  /// - Parameter count: nil: any number.
  func bytes(_ index: Int, _ column: String, count: Int? = nil) throws -> [UInt8] {
    let value: DatabaseValue = row[index]
    guard case .blob(let data) = value.storage, count == nil || data.count == count else {
      throw corrupt("expected \(count.map { "\($0) " } ?? "")bytes as \(column)", value)
    }
    return Array(data)
  }

  func optionalBytes(_ index: Int, _ column: String, count: Int? = nil) throws -> [UInt8]? {
    row.hasNull(atIndex: index) ? nil : try bytes(index, column, count: count)
  }

  /// The name of a pack, which becomes a path.
  func packName(_ index: Int, _ column: String) throws -> String {
    let name = try text(index, column)
    guard name.utf8.count <= 128, name.utf8.allSatisfy({ Self.isNameByte($0) }) else {
      throw corrupt("expected letters and digits as \(column)", row[index])
    }
    return name
  }

  private static func isNameByte(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"): true
    default: false
    }
  }

  private func corrupt(_ expected: String, _ found: DatabaseValue) -> StoreError {
    StoreError(
      kind: .corrupt,
      text: "Cannot read the table \(table) of the catalog \(path): \(expected), found \(Self.text(found)); "
        + "`almanac fsck --repair` makes the catalog anew")
  }

  /// Short, whatever it is.
  private static func text(_ value: DatabaseValue) -> String {
    switch value.storage {
    case .null: "null"
    case .int64(let number): "\(number)"
    case .double(let number): "\(number)"
    case .string(let text): text.utf8.count <= 40 ? "the text \"\(text)\"" : "a text of \(text.utf8.count) bytes"
    case .blob(let data): data.count == 1 ? "1 byte" : "\(data.count) bytes"
    }
  }
}

extension Catalog {
  func row(_ row: Row, of table: String) -> CatalogRow { CatalogRow(row: row, table: table, path: path) }

  // MARK: Records

  static let selectObject = """
    SELECT object.kind, object.id, pack.name, object.offset, object.byteCount, object.sha256, object.digests, object.pack
    FROM object LEFT JOIN pack ON pack.number = object.pack
    """

  func object(_ row: Row) throws -> ObjectRecord {
    let row = self.row(row, of: "object")
    let kind = UInt8(try row.integer(0, "kind", in: 0...255))
    return try object(row, kind: kind, id: row.bytes(1, "id", count: ObjectRecord.idByteCount))
  }

  /// - Parameter row: of `selectObject`.
  func object(_ row: CatalogRow, kind: UInt8, id: [UInt8]) throws -> ObjectRecord {
    let number = try row.optionalInteger(7, "pack", in: .min ... .max)
    let place: ObjectRecord.Place
    if let number {
      // A number that names no pack leads to a pack that is not there, which the reader will say.
      let name = row.row.hasNull(atIndex: 2) ? "\(number.magnitude)" : try row.packName(2, "the name of a pack")
      place = .pack(name: name, offset: Int(try row.integer(3, "offset", in: 0...CatalogRow.byteCountMax)))
    } else {
      place = .ownFile
    }
    return ObjectRecord(
      kind: kind, id: id, place: place, byteCount: Int(try row.integer(4, "byteCount", in: 0...CatalogRow.byteCountMax)),
      fileSHA256: try row.optionalBytes(5, "sha256", count: ObjectRecord.idByteCount), digests: try row.optionalBytes(6, "digests"))
  }

  static let selectRef = "SELECT name, kind, target FROM ref"

  func ref(_ row: Row) throws -> RefRecord {
    let row = self.row(row, of: "ref")
    return RefRecord(
      name: try row.text(0, "name"), kind: UInt8(try row.integer(1, "kind", in: 0...255)),
      target: try row.bytes(2, "target", count: ObjectRecord.idByteCount))
  }

  static let selectMove = "SELECT sequence, ref, refKind, old, new, timeMicros, reason FROM reflog"

  func move(_ row: Row) throws -> RefLogRecord {
    let row = self.row(row, of: "reflog")
    return RefLogRecord(
      sequence: try row.integer(0, "sequence", in: 1...RefLogRecord.sequenceMax), ref: try row.text(1, "ref"),
      refKind: UInt8(try row.integer(2, "refKind", in: 0...255)),
      old: try row.optionalBytes(3, "old", count: ObjectRecord.idByteCount),
      new: try row.optionalBytes(4, "new", count: ObjectRecord.idByteCount),
      timeMicros: try row.integer(5, "timeMicros", in: RefLogRecord.timeMicrosRange), reason: try row.text(6, "reason"))
  }
}
