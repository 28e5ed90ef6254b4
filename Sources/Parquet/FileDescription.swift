import Columns

/// What a Parquet file says about itself, without any of its values but the bounds in its statistics.
package struct FileDescription: Sendable {
  /// An element of the schema tree.
  package struct Element: Sendable {
    package let name: String
    /// `required`, `optional` or `repeated`; nil for the root.
    package let repetition: String?
    /// As the format spells it, `INT64` or `FIXED_LEN_BYTE_ARRAY(16)`; nil for groups.
    package let physicalType: String?
    /// `TIMESTAMP(MICROS,UTC)`; nil where the file says none.
    package let logicalType: String?
    /// The annotation of older writers, `TIMESTAMP_MICROS`.
    package let convertedType: String?
    package let fieldID: Int32?
    package let children: [Element]
  }

  package struct Statistics: Hashable, Sendable {
    /// Bounds as text; those of long strings may be cut. Nil where the file has none.
    package let least: String?
    package let greatest: String?
    package let nullCount: Int?
    package let distinctCount: Int?
  }

  package struct Page: Sendable {
    /// `data v1`, `data v2`, `dictionary`, `other`; nil where it was found in the offset index.
    package let kind: String?
    /// Where its header starts in the file.
    package let offset: Int
    /// With its header.
    package let byteCount: Int
    /// Decompressed, without the header; nil where it was found in the offset index.
    package let uncompressedByteCount: Int?
    package let encoding: String?
    /// Nulls included, or the entries of a dictionary; nil where it was found in the offset index.
    package let valueCount: Int?
    /// Nil where the file does not say: in pages of version 1 of repeated columns without an offset index.
    package let rowCount: Int?
    /// From the column index, without distinct values; nil where there is none. Bounds are nil in pages of nulls alone.
    package let statistics: Statistics?
  }

  package struct ColumnChunk: Sendable {
    package let path: [String]
    package let physicalType: String
    package let encodings: [String]
    package let codec: String
    /// Nulls included.
    package let valueCount: Int
    package let compressedByteCount: Int
    package let uncompressedByteCount: Int
    package let dataPageOffset: Int
    package let dictionaryPageOffset: Int?
    package let statistics: Statistics?
    package let hasColumnIndex: Bool
    package let hasOffsetIndex: Bool
    /// 1 ascending, 2 descending, 0 neither; nil without a column index.
    package let boundaryOrder: Int32?
    /// Without its header; nil where there is no filter.
    package let bloomFilterByteCount: Int?
    /// Data pages from the offset index, else all pages from their headers; nil where pages were not asked for.
    package let pages: [Page]?
  }

  package struct RowGroup: Sendable {
    package let rowCount: Int
    /// Where its first page starts.
    package let offset: Int
    package let compressedByteCount: Int
    package let uncompressedByteCount: Int
    /// One a leaf of the schema.
    package let columns: [ColumnChunk]
  }

  package let byteCount: Int
  package let version: Int32
  package let createdBy: String?
  package let rowCount: Int
  package let keyValueKeys: [String]
  package let root: Element
  package let rowGroups: [RowGroup]

  /// - Parameter includesPages: pages are listed too, which reads the offset indexes, or the page headers where there are none.
  /// - Complexity: O(footer), plus O(pages)
  package init(_ reader: ParquetReader, includesPages: Bool = false) throws(ParquetError) {
    let footer = try reader.bytes.withBytes { (bytes) throws(ParquetError) in try FooterDetail(bytes) }
    byteCount = reader.bytes.byteCount
    version = footer.version
    createdBy = footer.createdBy
    rowCount = reader.rowCount
    keyValueKeys = footer.keys
    var next = 0
    root = try Self.element(footer.elements, &next, depth: 0)
    rowGroups = try reader.bytes.withBytes { (file) throws(ParquetError) in
      var groups: [RowGroup] = []
      for (index, group) in footer.rowGroups.enumerated() {
        groups.append(try Self.rowGroup(group, index, footer.leaves, file, includesPages: includesPages))
      }
      return groups
    }
  }

  /// Deeper trees are no tables.
  private static let depthMax = 512

  private static func element(_ elements: [FooterDetail.Element], _ next: inout Int, depth: Int) throws(ParquetError) -> Element {
    guard next < elements.count, depth < depthMax else { throw .malformed("Cannot describe the schema: its tree does not end") }
    let element = elements[next]
    next += 1
    var children: [Element] = []
    for _ in 0..<max(0, element.childCount) { children.append(try Self.element(elements, &next, depth: depth + 1)) }
    return Element(
      name: element.name, repetition: element.repetitionCode.map { FormatNames.repetition($0) },
      physicalType: element.physicalCode.map { FormatNames.physicalType($0, element.fixedByteCount) }, logicalType: element.logicalText,
      convertedType: element.convertedCode.map { FormatNames.convertedType($0) }, fieldID: element.fieldID, children: children)
  }

  private static func rowGroup(
    _ group: FooterDetail.RowGroup, _ index: Int, _ leaves: [FooterDetail.Element], _ file: UnsafeRawBufferPointer, includesPages: Bool
  ) throws(ParquetError) -> RowGroup {
    guard group.chunks.count == leaves.count else {
      throw .malformed("Cannot describe row group \(index): it has \(group.chunks.count) columns, the schema \(leaves.count)")
    }
    var columns: [ColumnChunk] = []
    for (chunk, leaf) in zip(group.chunks, leaves) {
      do {
        columns.append(try column(chunk, leaf, rowCount: group.rowCount, file, includesPages: includesPages))
      } catch {
        throw error.within("Cannot describe column \(chunk.path.joined(separator: ".")) in row group \(index)")
      }
    }
    // The sums may overflow in files that claim nonsense.
    return RowGroup(
      rowCount: group.rowCount, offset: group.fileOffset ?? group.chunks.first.map { PageScan.start($0) } ?? 0,
      compressedByteCount: columns.reduce(0) { $0 &+ $1.compressedByteCount },
      uncompressedByteCount: columns.reduce(0) { $0 &+ $1.uncompressedByteCount }, columns: columns)
  }

  private static func column(
    _ chunk: FooterDetail.Chunk, _ leaf: FooterDetail.Element, rowCount: Int, _ file: UnsafeRawBufferPointer, includesPages: Bool
  ) throws(ParquetError) -> ColumnChunk {
    let text = StatisticsText(leaf)
    let statistics = chunk.statistics.map { statistics in
      Statistics(
        least: (statistics.least ?? statistics.legacyLeast).map { text.text($0) },
        greatest: (statistics.greatest ?? statistics.legacyGreatest).map { text.text($0) }, nullCount: statistics.nullCount,
        distinctCount: statistics.distinctCount)
    }
    let index = ColumnIndexDetail(chunk, file)
    let places = OffsetIndexDetail(chunk, rowCount: rowCount, file)
    let filter = chunk.bloomFilterOffset.flatMap { offset in
      PageIndexBytes.slice(file, offset, chunk.bloomFilterByteCount ?? max(0, file.count - max(0, offset))).flatMap { BloomFilterProbe($0) }
    }
    var pages: [Page]?
    if includesPages {
      let bounds = index?.statistics(text) ?? []
      if let places { pages = PageScan.pages(places, rowCount: rowCount, bounds) } else { pages = try PageScan.pages(chunk, leaf, file) }
    }
    return ColumnChunk(
      path: chunk.path, physicalType: FormatNames.physicalType(chunk.physicalCode, leaf.fixedByteCount),
      encodings: chunk.encodings.map { FormatNames.encoding($0) }, codec: FormatNames.codec(chunk.codec), valueCount: chunk.valueCount,
      compressedByteCount: chunk.compressedByteCount, uncompressedByteCount: chunk.uncompressedByteCount,
      dataPageOffset: chunk.dataPageOffset, dictionaryPageOffset: chunk.dictionaryPageOffset, statistics: statistics,
      hasColumnIndex: index != nil, hasOffsetIndex: places != nil, boundaryOrder: index?.boundaryOrder,
      bloomFilterByteCount: filter?.byteCount, pages: pages)
  }
}
