import Columns

/// Writes what stands behind the data: page indexes and the footer.
enum FooterWriting {
  static func columnIndex(_ chunk: ChunkSummary) -> [UInt8]? {
    // Every page that has values needs bounds: a page of NaN has none.
    let isComplete = zip(chunk.pages.indices, chunk.pages).allSatisfy { index, page in
      page.least != nil || page.nullCount == rowCount(chunk, index)
    }
    guard isComplete else { return nil }
    var writer = ThriftWriter()
    writer.element(structure: { writer in
      let pages = chunk.pages
      writer.list(1, of: .booleanTrue, count: pages.count)
      for page in pages { writer.element(bool: page.least == nil) }
      writer.list(2, of: .binary, count: pages.count)
      for page in pages { writer.element(binary: page.least ?? []) }
      writer.list(3, of: .binary, count: pages.count)
      for page in pages { writer.element(binary: page.greatest ?? []) }
      writer.int32(4, chunk.boundaryOrder)
      writer.list(5, of: .int64, count: pages.count)
      for page in pages { writer.element(integer: page.nullCount) }
    })
    return writer.bytes
  }

  private static func rowCount(_ chunk: ChunkSummary, _ index: Int) -> Int {
    (index + 1 < chunk.pages.count ? chunk.pages[index + 1].firstRow : chunk.valueCount) - chunk.pages[index].firstRow
  }

  static func offsetIndex(_ chunk: ChunkSummary) -> [UInt8] {
    var writer = ThriftWriter()
    writer.element(structure: { writer in
      writer.list(1, of: .structure, count: chunk.pages.count)
      for page in chunk.pages {
        writer.element(structure: { writer in
          writer.int64(1, page.offset)
          writer.int32(2, Int32(page.byteCount))
          writer.int64(3, page.firstRow)
        })
      }
    })
    return writer.bytes
  }

  /// - Parameter rowGroups: the chunks of each group and where the group starts.
  static func footer(_ layouts: [ColumnLayout], _ rowGroups: [RowGroupSummary], _ options: ParquetWriterOptions) -> [UInt8] {
    var writer = ThriftWriter()
    writer.element(structure: { writer in
      writer.int32(1, 2)
      writer.list(2, of: .structure, count: layouts.count + 1)
      writer.element(structure: { writer in
        writer.string(4, "schema")
        writer.int32(5, Int32(layouts.count))
      })
      for layout in layouts { writer.element(structure: { schemaElement(layout, &$0) }) }
      writer.int64(3, rowGroups.reduce(0) { $0 + $1.rowCount })
      writer.list(4, of: .structure, count: rowGroups.count)
      for (index, group) in rowGroups.enumerated() {
        writer.element(structure: { rowGroup(group, index, layouts, options, &$0) })
      }
      writer.string(6, "almanac version 0.1.0")
      // TYPE_ORDER for every column: statistics may be trusted.
      writer.list(7, of: .structure, count: layouts.count)
      for _ in layouts { writer.element(structure: { writer in writer.structure(1) { _ in } }) }
    })
    return writer.bytes
  }

  private static func schemaElement(_ layout: ColumnLayout, _ writer: inout ThriftWriter) {
    writer.int32(1, layout.physicalType.rawValue)
    if layout.physicalType == .fixedLengthByteArray { writer.int32(2, Int32(ColumnLayout.decimalByteCount)) }
    writer.int32(3, layout.field.isNullable ? Repetition.optional.rawValue : Repetition.required.rawValue)
    writer.string(4, layout.field.name)
    if let converted = layout.converted { writer.int32(6, converted.rawValue) }
    if case .decimal(let scale, let precision)? = layout.logical {
      writer.int32(7, scale)
      writer.int32(8, precision)
    }
    if let id = layout.field.id { writer.int32(9, id) }
    if let logical = layout.logical { writer.structure(10) { logicalType(logical, &$0) } }
  }

  private static func logicalType(_ type: LogicalType, _ writer: inout ThriftWriter) {
    switch type {
    case .string: writer.structure(1) { _ in }
    case .decimal(let scale, let precision):
      writer.structure(5) { writer in
        writer.int32(1, scale)
        writer.int32(2, precision)
      }
    case .date: writer.structure(6) { _ in }
    case .timestamp(let isAdjusted, let unit):
      writer.structure(8) { writer in
        writer.bool(1, isAdjusted)
        writer.structure(2) { writer in writer.structure(unit.rawValue) { _ in } }
      }
    case .integer(let bitWidth, let isSigned):
      writer.structure(10) { writer in
        writer.int8(1, Int8(truncatingIfNeeded: bitWidth))
        writer.bool(2, isSigned)
      }
    default: preconditionFailure("No column is written as \(type)")
    }
  }

  private static func rowGroup(
    _ group: RowGroupSummary, _ index: Int, _ layouts: [ColumnLayout], _ options: ParquetWriterOptions, _ writer: inout ThriftWriter
  ) {
    writer.list(1, of: .structure, count: group.chunks.count)
    for (chunk, layout) in zip(group.chunks, layouts) {
      writer.element(structure: { writer in
        writer.int64(2, 0)
        writer.structure(3) { columnMetadata(chunk, layout, options, &$0) }
        if let place = chunk.offsetIndex {
          writer.int64(4, place.offset)
          writer.int32(5, Int32(place.byteCount))
        }
        if let place = chunk.columnIndex {
          writer.int64(6, place.offset)
          writer.int32(7, Int32(place.byteCount))
        }
      })
    }
    writer.int64(2, group.chunks.reduce(0) { $0 + $1.uncompressedByteCount })
    writer.int64(3, group.rowCount)
    writer.int64(5, group.offset)
    writer.int64(6, group.chunks.reduce(0) { $0 + $1.byteCount })
    if let ordinal = Int16(exactly: index) { writer.int16(7, ordinal) }
  }

  private static func columnMetadata(
    _ chunk: ChunkSummary, _ layout: ColumnLayout, _ options: ParquetWriterOptions, _ writer: inout ThriftWriter
  ) {
    writer.int32(1, layout.physicalType.rawValue)
    var encodings = [chunk.encoding]
    if chunk.dictionaryOffset != nil { encodings.append(.plain) }
    if layout.field.isNullable { encodings.append(.rle) }
    writer.list(2, of: .int32, count: encodings.count)
    for encoding in encodings { writer.element(integer: Int(encoding.rawValue)) }
    writer.list(3, of: .binary, count: 1)
    writer.element(binary: layout.field.name.utf8)
    writer.int32(4, chunk.codec.code)
    writer.int64(5, chunk.valueCount)
    writer.int64(6, chunk.uncompressedByteCount)
    writer.int64(7, chunk.byteCount)
    writer.int64(9, chunk.pages.first?.offset ?? 0)
    if let offset = chunk.dictionaryOffset { writer.int64(11, offset) }
    if options.statistics {
      writer.structure(12) { writer in
        writer.int64(3, chunk.nullCount)
        if let greatest = chunk.greatest, let least = chunk.least {
          writer.binary(5, greatest.bytes)
          writer.binary(6, least.bytes)
          writer.bool(7, greatest.isExact)
          writer.bool(8, least.isExact)
        }
      }
    }
    let pageKinds: [(type: Int32, encoding: Encoding, count: Int)] =
      (chunk.dictionaryOffset != nil ? [(2, .plain, 1)] : []) + [(0, chunk.encoding, chunk.pages.count)]
    writer.list(13, of: .structure, count: pageKinds.count)
    for kind in pageKinds {
      writer.element(structure: { writer in
        writer.int32(1, kind.type)
        writer.int32(2, kind.encoding.rawValue)
        writer.int32(3, Int32(kind.count))
      })
    }
  }
}
