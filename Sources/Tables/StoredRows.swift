import Columns
import History
import Objects
import Parquet

/// The rows of a leaf's or a tail's file, read by field id.
struct StoredRows: Sendable {
  /// For messages: `leaf 4f…`.
  let name: String
  private let file: MappedFile
  private let reader: ParquetReader
  /// Told of what is read.
  var tally: ReadTally?

  var rowCount: Int { reader.rowCount }

  /// - Throws: `TableError` of kind `corrupt` when the file is not one of ours; `StoreError` when it cannot be read.
  init(leaf id: LeafID, in archive: Archive) throws {
    try self.init("leaf \(id)", file: archive.mapLeaf(id), sealedName: id.bytes)
  }

  init(tail id: TailID, in archive: Archive) throws {
    try self.init("tail \(id)", file: archive.mapTail(id), sealedName: id.bytes)
  }

  /// - Parameter sealedName: what the file was written as, if it says so itself.
  /// - Throws: `TableError` of kind `corrupt`.
  init(_ name: String, file: MappedFile, sealedName: [UInt8]? = nil) throws(TableError) {
    self.name = name
    self.file = file
    do {
      var reader = try ParquetReader(bytes: BufferSlice(owner: file, start: file.start, byteCount: file.byteCount))
      if let sealedName { try reader.checkSeal(name: sealedName) }
      self.reader = reader
    } catch {
      throw Self.failure(name, file, error)
    }
    guard !file.isLost else { throw Self.lost(name) }
    guard reader.rowGroupCount <= 1 else {
      throw TableError(.corrupt, "Cannot read \(name): expected one row group, found \(reader.rowGroupCount)")
    }
  }

  /// The wanted fields; one that the file does not have is null in every row. A file may hold a field in a narrower or, where a
  /// widening was taken back, in a wider type: its values are the same. What a narrower type cannot hold is null: no row of a version
  /// under that type has it (`TableVersion.checkFit`, `ValueCheck`), as a later tail has replaced the value.
  /// - Parameter rows: nil for all; pages without any of them are not decoded.
  /// - Complexity: O(bytes of the pages that hold the rows)
  func read(_ fields: [Field], rows: Range<Int>? = nil, threads: Int = 1) throws -> Batch {
    let rows = rows ?? 0..<rowCount
    let positions = fields.map { wanted in reader.schema.fields.firstIndex { $0.id == wanted.id } }
    let present = positions.compactMap { $0 }
    var stored: [Column] = []
    if reader.rowGroupCount == 1 && !present.isEmpty {
      tally?.note(name, reader, columns: present, rows: rows)
      do {
        stored = try reader.read(rowGroup: 0, columns: present, rows: rows, threads: threads).columns
      } catch {
        throw Self.failure(name, file, error)
      }
      guard !file.isLost else { throw Self.lost(name) }
    }
    var next = 0
    let columns = try zip(fields, positions).map { field, position -> Column in
      guard position != nil else { return Column(field.type, repeating: .null, count: rows.count) }
      let column = stored.isEmpty ? Column(field.type, []) : stored[next]
      next += 1
      guard column.type != field.type else { return column }
      do {
        return try column.fitted(to: field.type)
      } catch {
        throw TableError(.corrupt, "Cannot read column \(field.name) of \(name): \(error)")
      }
    }
    return Batch(schema: Schema(fields), columns: columns, rowCount: rows.count)
  }

  /// The types of those of some fields that the file has.
  func types(of fields: Set<Int32>) -> [Int32: DataType] {
    Dictionary(reader.schema.fields.compactMap { field in field.id.flatMap { fields.contains($0) ? ($0, field.type) : nil } }) { first, _ in
      first
    }
  }

  /// Fields in the types that hold what the file has of them: its own where those do not widen to the fields'.
  func holding(_ fields: [Field]) -> [Field] {
    fields.map { field in
      guard let stored = reader.schema.fields.first(where: { $0.id == field.id })?.type, stored != field.type,
        !stored.widens(to: field.type)
      else { return field }
      return Field(field.name, stored, isNullable: field.isNullable, id: field.id)
    }
  }

  /// The fields that the file has a column of.
  var fieldIDs: Set<Int32> { Set(reader.schema.fields.compactMap(\.id)) }

  /// Bytes that are gone read as zeros, which may be no Parquet.
  private static func failure(_ name: String, _ file: MappedFile, _ error: any Error) -> TableError {
    file.isLost ? lost(name) : TableError(.corrupt, "Cannot read \(name): \(error)")
  }

  private static func lost(_ name: String) -> TableError {
    TableError(.corrupt, "Cannot read \(name): bytes of its file were gone when they were read; it was shortened, or its disk fails")
  }

  /// Tells the tally of what somebody else reads of this file.
  func note(_ fields: [Field], rows: Range<Int>) {
    tally?.note(name, reader, columns: fields.compactMap { wanted in reader.schema.fields.firstIndex { $0.id == wanted.id } }, rows: rows)
  }
}

extension Column {
  /// The same values in another type, null where a narrower one of the same class cannot hold them.
  /// - Throws: `CastError` for types of different classes.
  /// - Complexity: O(count)
  fileprivate func fitted(to target: DataType) throws(CastError) -> Column {
    do throws(CastError) {
      return try cast(to: target)
    } catch {
      guard case .value = error.reason, Self.areOfOneClass(type, target) else { throw error }
      let rows = (0..<count).map { row in (try? slice(from: row, count: 1).cast(to: target)) == nil ? -1 : Int32(row) }
      return try take(rows).cast(to: target)
    }
  }

  private static func areOfOneClass(_ a: DataType, _ b: DataType) -> Bool {
    a.isInteger && b.isInteger || a.widestOfItsClass == b.widestOfItsClass
  }
}
