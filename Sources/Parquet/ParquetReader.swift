import Columns

/// Reads a Parquet file that lies in memory or is mapped there.
///
/// Everything the file says about itself is checked before it is used: a damaged or hostile file gives a `ParquetError`,
/// never a trap.
package struct ParquetReader: Sendable {
  package let schema: Schema
  package let rowCount: Int
  package let keyValueMetadata: [String: String]
  package let createdBy: String?
  package let limits: ParquetLimits
  let bytes: BufferSlice
  /// The leaf columns, in the order of the chunks of a row group.
  let shapes: [ColumnShape]
  /// By index of the schema's fields: what stands above the leaves.
  let nodes: [ColumnNode]
  let rowGroups: [RowGroupMetadata]
  /// Where the footer's metadata starts and data must end.
  let dataEnd: Int
  /// Of a file whose seal was compared.
  var headerChecksums: HeaderChecksums?

  /// "PAR1" in front and behind, and the length of the footer.
  private static let byteCountMin = 12

  /// Parses the footer.
  /// - Parameters:
  ///   - bytes: must stay unchanged as long as the reader and its slices exist.
  ///   - hasMicrosecondInt96: INT96 is read as microseconds, floored, as it is in files of Spark anyway.
  /// - Throws: `.malformed` when the bytes are no Parquet file, `.unsupported` for encrypted files.
  /// - Complexity: O(footer)
  package init(bytes: BufferSlice, limits: ParquetLimits = ParquetLimits(), hasMicrosecondInt96: Bool = false) throws(ParquetError) {
    self.bytes = bytes
    self.limits = limits
    let (metadata, footerStart) = try bytes.withBytes { (bytes) throws(ParquetError) in try Self.footer(bytes) }
    guard !metadata.isEncrypted else { throw .unsupported("Cannot read the file: its columns are encrypted") }
    dataEnd = footerStart
    let tree = try ColumnTree(metadata.schema, hints: TypeHints(metadata.keyValues, hasMicrosecondInt96: hasMicrosecondInt96))
    shapes = tree.leaves
    nodes = tree.columns
    schema = Schema(nodes.map(\.field))
    keyValueMetadata = metadata.keyValues
    createdBy = metadata.createdBy
    rowGroups = metadata.rowGroups
    var total = 0
    for (index, group) in metadata.rowGroups.enumerated() {
      try Self.check(group, index, shapes, byteCount: bytes.byteCount)
      total += group.rowCount
    }
    // An old writer left the count of the file at zero.
    guard metadata.rowCount == total || metadata.rowCount == 0 else {
      throw .malformed("Cannot read the footer: it claims \(metadata.rowCount) rows, but its row groups hold \(total)")
    }
    rowCount = total
  }

  /// Whether a time of INT96, or of nanoseconds in 12 bytes, lies outside the years 1677 to 2262, which 64 bits do not reach.
  /// - Throws: what reading these columns throws.
  /// - Complexity: O(1) in files without such columns, else O(bytes of these columns)
  package func hasInt96BeyondNanoseconds() throws(ParquetError) -> Bool {
    let columns = nodes.indices.filter { nodes[$0].leaves.contains { shapes[$0].hasWideNanoseconds } }
    guard !columns.isEmpty else { return false }
    var scan = ParquetScan(self, columns: columns)
    do throws(ParquetError) {
      while try scan.next() != nil {}
    } catch {
      guard error.kind == .outOfRange else { throw error }
      return true
    }
    return false
  }

  package var rowGroupCount: Int { rowGroups.count }

  package func rowCount(ofRowGroup index: Int) -> Int { rowGroups[index].rowCount }

  /// Decodes columns of one row group.
  /// - Parameters:
  ///   - columns: indices into the schema, in the order of the result; nil means all.
  ///   - rows: rows of the group; pages of flat columns without any of them are not decoded. Nil means all.
  ///   - threads: how many columns are decoded at a time.
  /// - Precondition: indices and rows exist.
  /// - Complexity: O(bytes of the pages that hold the rows)
  package func read(
    rowGroup index: Int, columns: [Int]? = nil, rows: Range<Int>? = nil, threads: Int = 1
  ) throws(ParquetError) -> Batch {
    let group = rowGroups[index]
    let rows = rows ?? 0..<group.rowCount
    precondition(rows.lowerBound >= 0 && rows.upperBound <= group.rowCount, "Rows \(rows) lie outside the row group")
    let wanted = columns ?? Array(nodes.indices)
    var result: [Column] = []
    if threads > 1 && wanted.count > 1 {
      do {
        result = try parallelMap(wanted, threadCountMax: threads) { try read($0, of: index, rows: rows) }
      } catch {
        guard let error = error as? ParquetError else { throw .malformed("Cannot read row group \(index): \(error)") }
        throw error
      }
    } else {
      result.reserveCapacity(wanted.count)
      for column in wanted { result.append(try read(column, of: index, rows: rows)) }
    }
    return Batch(schema: Schema(wanted.map { schema.fields[$0] }), columns: result, rowCount: rows.count)
  }

  private func read(_ index: Int, of group: Int, rows: Range<Int>) throws(ParquetError) -> Column {
    let node = nodes[index]
    guard !rows.isEmpty else { return Column(node.field.type, []) }
    var leaves: [LeafRows] = []
    for leaf in node.leaves {
      do {
        let cursor = try cursor(leaf: leaf, rowGroup: group)
        if node.isFlat { try cursor.jump(to: rows.lowerBound) }
        try cursor.skip(rowCount: rows.lowerBound - (rowGroups[group].rowCount - cursor.rowsLeft))
        leaves.append(node.isFlat ? try cursor.readFlat(rowCountMax: rows.count) : try cursor.readNested(rowCount: rows.count))
      } catch {
        throw error.within("Cannot read column \(shapes[leaf].path) in row group \(group)")
      }
    }
    // The cursors point into the file.
    defer { _fixLifetime(bytes.owner) }
    return try assemble(node, leaves, rowGroup: group)
  }

  func assemble(_ node: ColumnNode, _ leaves: [LeafRows], rowGroup: Int) throws(ParquetError) -> Column {
    if node.isFlat { return leaves[0].column }
    do {
      return try NestedAssembly(leaves: leaves, firstLeaf: node.leaves.lowerBound).column(node)
    } catch {
      throw error.within("Cannot read column \(node.field.name) in row group \(rowGroup)")
    }
  }

  /// - Precondition: the reader outlives the cursor.
  func cursor(leaf: Int, rowGroup: Int) throws(ParquetError) -> LeafCursor {
    let group = rowGroups[rowGroup]
    return try LeafCursor(
      UnsafeRawBufferPointer(start: bytes.start, count: bytes.byteCount), shapes[leaf], group.columns[leaf], rowCount: group.rowCount,
      dataEnd: dataEnd, headerChecksums: headerChecksums, limits: limits)
  }

  /// A row takes a bit of a run at least; runs and general codecs together reach this many rows a byte in real files.
  private static let rowCountPerByteMax = 1 << 14
  private static let rowCountMin = 1 << 22

  // MARK: The footer

  private static func footer(_ bytes: UnsafeRawBufferPointer) throws(ParquetError) -> (FileMetadata, start: Int) {
    guard bytes.count >= byteCountMin else {
      throw .malformed("Cannot read the file: it has \(bytes.count) bytes, a Parquet file at least \(byteCountMin)")
    }
    let tail = bytes.loadUnaligned(fromByteOffset: bytes.count - 4, as: UInt32.self)
    guard tail != magic("PARE") else { throw .unsupported("Cannot read the file: its footer is encrypted") }
    guard tail == magic("PAR1") else {
      throw .malformed("Cannot read the file: it does not end with PAR1, it is truncated or no Parquet file")
    }
    let length = Int(bytes.loadUnaligned(fromByteOffset: bytes.count - 8, as: UInt32.self))
    guard length <= bytes.count - byteCountMin else {
      throw .malformed("Cannot read the footer: it claims \(length) bytes of a file of \(bytes.count) bytes")
    }
    let start = bytes.count - 8 - length
    do {
      return (try FileMetadata(decoding: UnsafeRawBufferPointer(rebasing: bytes[start..<(start + length)])), start)
    } catch {
      throw error.within("Cannot read the footer at byte \(start)")
    }
  }

  private static func magic(_ text: StaticString) -> UInt32 {
    UnsafeRawPointer(text.utf8Start).loadUnaligned(as: UInt32.self)
  }

  private static func check(
    _ group: RowGroupMetadata, _ index: Int, _ shapes: [ColumnShape], byteCount: Int
  ) throws(ParquetError) {
    let place = "Cannot read row group \(index)"
    guard group.columns.count == shapes.count else {
      throw .malformed("\(place): it has \(group.columns.count) columns, the schema \(shapes.count)")
    }
    guard group.rowCount >= 0, group.rowCount <= Int(Int32.max), group.rowCount <= rowCountMin + byteCount * rowCountPerByteMax else {
      throw .malformed("\(place): it claims \(group.rowCount) rows in a file of \(byteCount) bytes")
    }
    for (column, shape) in zip(group.columns, shapes) { try check(column, shape, index, group.rowCount, byteCount: byteCount) }
  }

  private static func check(
    _ column: ColumnChunkMetadata, _ shape: ColumnShape, _ rowGroup: Int, _ rowCount: Int, byteCount: Int
  ) throws(ParquetError) {
    func refuse(_ text: String) -> ParquetError { .malformed("Cannot read column \(shape.path) in row group \(rowGroup): \(text)") }
    guard !column.isElsewhere else {
      throw .unsupported("Cannot read column \(shape.path) in row group \(rowGroup): it lies in another file")
    }
    guard !column.isEncrypted else {
      throw .unsupported("Cannot read column \(shape.path) in row group \(rowGroup): it is encrypted")
    }
    guard column.isPresent else { throw refuse("the footer does not describe it") }
    guard column.type == shape.physicalType else {
      throw refuse("it is stored as \(column.type.map { "\($0)" } ?? "nothing"), the schema says \(shape.physicalType)")
    }
    if shape.levels.repetition == 0 {
      guard column.valueCount == rowCount else { throw refuse("it claims \(column.valueCount) values for \(rowCount) rows") }
    } else {
      let countMax = rowCountMin + byteCount * rowCountPerByteMax
      guard column.valueCount >= rowCount, column.valueCount <= countMax else {
        throw refuse("it claims \(column.valueCount) values for \(rowCount) rows in a file of \(byteCount) bytes")
      }
    }
  }
}
