import Almanac

/// What `almanac inspect` prints for people.
enum InspectionText {
  static func lines(_ file: Inspection) -> [String] {
    let columns = file.schema.fields
    var lines = [
      "\(file.path): \(file.format.rawValue), \(bytes(file.byteCount)), \(Terminal.grouped(file.rowCount)) rows of \(columns.count) columns"
    ]
    if let parquet = file.parquet {
      lines.append("written by \(parquet.createdBy ?? "an unnamed program"), format version \(parquet.version)")
      if !parquet.keyValueKeys.isEmpty { lines.append("metadata: \(parquet.keyValueKeys.joined(separator: ", "))") }
    }
    lines.append("")
    var table = [["column", "type", "", "field id"]]
    table += columns.map { [$0.name, $0.type.description, $0.isNullable ? "nullable" : "required", $0.id.map { "\($0)" } ?? ""] }
    lines.append(Terminal.table(table, numeric: [3]))
    if let counts = file.batchRowCounts {
      lines += ["", "\(counts.count) record batches of \(Terminal.grouped(counts.max() ?? 0)) rows at most"]
    }
    for (index, group) in (file.parquet?.rowGroups ?? []).enumerated() {
      lines.append("")
      lines.append(
        "row group \(index): \(Terminal.grouped(group.rowCount)) rows, \(bytes(group.compressedByteCount)) "
          + "(\(bytes(group.uncompressedByteCount)) decompressed), at byte \(group.offset)")
      lines.append(Terminal.table(chunks(group), numeric: [3, 4, 5]))
      lines += group.columns.flatMap(pages)
    }
    return lines
  }

  private static func chunks(_ group: FileRowGroup) -> [[String]] {
    var table = [["column", "encodings", "codec", "bytes", "decompressed", "nulls", "min", "max", "index"]]
    for column in group.columns {
      var index: [String] = []
      if column.hasColumnIndex { index.append("column") }
      if column.hasOffsetIndex { index.append("offset") }
      if column.bloomFilterByteCount != nil { index.append("bloom") }
      table.append([
        column.path.joined(separator: "."), column.encodings.joined(separator: " "), column.codec,
        Terminal.grouped(column.compressedByteCount),
        Terminal.grouped(column.uncompressedByteCount), column.statistics?.nullCount.map { Terminal.grouped($0) } ?? "",
        shortened(column.statistics?.least), shortened(column.statistics?.greatest), index.joined(separator: "+"),
      ])
    }
    return table
  }

  private static func pages(_ column: FileColumnChunk) -> [String] {
    guard let pages = column.pages else { return [] }
    var table = [["page", "at byte", "bytes", "rows", "values", "encoding", "nulls", "min", "max"]]
    for page in pages {
      table.append([
        page.kind ?? "data", "\(page.offset)", Terminal.grouped(page.byteCount), page.rowCount.map { Terminal.grouped($0) } ?? "",
        page.valueCount.map { Terminal.grouped($0) } ?? "", page.encoding ?? "",
        page.statistics?.nullCount.map { Terminal.grouped($0) } ?? "", shortened(page.statistics?.least),
        shortened(page.statistics?.greatest),
      ])
    }
    return ["", "pages of \(column.path.joined(separator: ".")):", Terminal.table(table, numeric: [1, 2, 3, 4, 6])]
  }

  private static func shortened(_ text: String?) -> String {
    guard let text else { return "" }
    let short = text.count > 24 ? "\(text.prefix(23))…" : text
    // Values must not move a terminal's cursor.
    return short.unicodeScalars.contains { $0.properties.generalCategory == .control } ? short.debugDescription : short
  }

  /// 1536 as "1.5 KiB".
  static func bytes(_ count: Int) -> String {
    var value = Double(count)
    var unit = "bytes"
    for larger in ["KiB", "MiB", "GiB", "TiB"] where value >= 1024 {
      value /= 1024
      unit = larger
    }
    guard unit != "bytes" else { return "\(count) bytes" }
    let tenths = Int((value * 10).rounded())
    return "\(tenths / 10).\(tenths % 10) \(unit)"
  }
}
