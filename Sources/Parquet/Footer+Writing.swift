import Columns

/// Writes what stands behind the data: page indexes and the footer.
enum FooterWriting {
  static func columnIndex(_ chunk: ChunkSummary) -> [UInt8]? {
    // Every page that has values needs bounds: a page of NaN has none.
    let isComplete = chunk.pages.allSatisfy { page in
      page.least != nil || page.nullCount == page.slotCount
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
  static func footer(_ schema: WriterSchema, _ rowGroups: [RowGroupSummary], _ options: ParquetWriterOptions) -> [UInt8] {
    var writer = ThriftWriter()
    writer.element(structure: { writer in
      writer.int32(1, 2)
      writer.list(2, of: .structure, count: schema.elements.count + 1)
      writer.element(structure: { writer in
        writer.string(4, "schema")
        writer.int32(5, Int32(Set(schema.leaves.map(\.column)).count))
      })
      for element in schema.elements { writer.element(structure: { schemaElement(element, &$0) }) }
      writer.int64(3, rowGroups.reduce(0) { $0 + $1.rowCount })
      writer.list(4, of: .structure, count: rowGroups.count)
      for (index, group) in rowGroups.enumerated() {
        writer.element(structure: { rowGroup(group, index, schema.leaves, options, &$0) })
      }
      if !options.keyValueMetadata.isEmpty {
        writer.list(5, of: .structure, count: options.keyValueMetadata.count)
        for (key, value) in options.keyValueMetadata.sorted(by: { $0.key < $1.key }) {
          writer.element(structure: { writer in
            writer.string(1, key)
            writer.string(2, value)
          })
        }
      }
      writer.string(6, "almanac version 0.1.0")
      // TYPE_ORDER for every column: statistics may be trusted.
      writer.list(7, of: .structure, count: schema.leaves.count)
      for _ in schema.leaves { writer.element(structure: { writer in writer.structure(1) { _ in } }) }
    })
    return writer.bytes
  }

  private static func schemaElement(_ element: WrittenElement, _ writer: inout ThriftWriter) {
    if let type = element.physicalType { writer.int32(1, type.rawValue) }
    if element.fixedByteCount > 0 { writer.int32(2, Int32(element.fixedByteCount)) }
    writer.int32(3, element.repetition.rawValue)
    writer.string(4, element.name)
    if element.physicalType == nil { writer.int32(5, Int32(element.childCount)) }
    if let converted = element.converted { writer.int32(6, converted.rawValue) }
    if case .decimal(let precision, let scale)? = element.annotation {
      writer.int32(7, Int32(scale))
      writer.int32(8, Int32(precision))
    }
    if let id = element.fieldID { writer.int32(9, id) }
    if let annotation = element.annotation { writer.structure(10) { logicalType(annotation, &$0) } }
  }

  private static func logicalType(_ annotation: Annotation, _ writer: inout ThriftWriter) {
    switch annotation {
    case .string: writer.structure(1) { _ in }
    case .map: writer.structure(2) { _ in }
    case .list: writer.structure(3) { _ in }
    case .decimal(let precision, let scale):
      writer.structure(5) { writer in
        writer.int32(1, Int32(scale))
        writer.int32(2, Int32(precision))
      }
    case .date: writer.structure(6) { _ in }
    case .time(let unit):
      writer.structure(7) { writer in
        writer.bool(1, false)
        writer.structure(2) { writer in writer.structure(unitCode(unit)) { _ in } }
      }
    case .timestamp(let unit, let isAdjusted):
      writer.structure(8) { writer in
        writer.bool(1, isAdjusted)
        writer.structure(2) { writer in writer.structure(unitCode(unit)) { _ in } }
      }
    case .integer(let bitWidth, let isSigned):
      writer.structure(10) { writer in
        writer.int8(1, Int8(truncatingIfNeeded: bitWidth))
        writer.bool(2, isSigned)
      }
    case .float16: writer.structure(15) { _ in }
    }
  }

  /// The place in the union `TimeUnit`.
  private static func unitCode(_ unit: TimeUnit) -> Int {
    switch unit {
    case .second, .millisecond: 1
    case .microsecond: 2
    case .nanosecond: 3
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
    if layout.definitionMax > 0 && chunk.encoding != .rle { encodings.append(.rle) }
    writer.list(2, of: .int32, count: encodings.count)
    for encoding in encodings { writer.element(integer: Int(encoding.rawValue)) }
    writer.list(3, of: .binary, count: layout.path.count)
    for name in layout.path { writer.element(binary: name.utf8) }
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
    let dataCode = options.pageVersion == .v1 ? PageWriting.dataV1Code : PageWriting.dataV2Code
    let pageKinds: [(type: Int32, encoding: Encoding, count: Int)] =
      (chunk.dictionaryOffset != nil ? [(PageWriting.dictionaryCode, .plain, 1)] : []) + [(dataCode, chunk.encoding, chunk.pages.count)]
    writer.list(13, of: .structure, count: pageKinds.count)
    for kind in pageKinds {
      writer.element(structure: { writer in
        writer.int32(1, kind.type)
        writer.int32(2, kind.encoding.rawValue)
        writer.int32(3, Int32(kind.count))
      })
    }
    if let filter = chunk.bloomFilter {
      writer.int64(14, filter.offset)
      writer.int32(15, Int32(filter.byteCount))
    }
  }
}
