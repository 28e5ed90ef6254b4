import Arrow
import Columns
import JSON
import Parquet
import TextFormats

/// `almanac inspect`: what a file says about itself, and for text what is found in it.
package struct Inspection: Sendable {
  package let path: String
  package let format: FileFormat
  package let byteCount: Int
  package let rowCount: Int
  package let schema: Schema
  /// Only for Parquet.
  package let parquet: FileDescription?
  /// Only for Arrow: the rows of each record batch.
  package let batchRowCounts: [Int]?
  /// Only for CSV: the character between fields.
  package let delimiter: UInt8?

  /// - Parameter includesPages: Parquet's pages are listed too.
  /// - Complexity: O(footer) for Parquet, plus O(pages) where they are wanted; O(file) for the other formats.
  package init(path: String, includesPages: Bool = false, options: TableFileOptions = TableFileOptions()) throws(AlmanacError) {
    let file = try TableFile(path: path, options: options)
    self.path = file.name
    format = file.format
    byteCount = file.byteCount
    schema = file.schema
    delimiter = file.delimiter
    guard let reader = file.parquetReader else {
      var counts: [Int] = []
      while let batch = try file.next() { counts.append(batch.rowCount) }
      parquet = nil
      rowCount = counts.reduce(0, +)
      batchRowCounts = format == .arrow || format == .arrowStream ? counts : nil
      return
    }
    rowCount = reader.rowCount
    batchRowCounts = nil
    parquet = try file.reading("Cannot inspect \(file.name)") { try FileDescription(reader, includesPages: includesPages) }
  }

  package var json: JSON {
    var members: [String: JSON] = [
      "file": .string(path), "format": .string(format.rawValue), "bytes": .int(Int64(byteCount)), "rows": .int(Int64(rowCount)),
      "schema": .array(schema.fields.map(\.inspected)),
    ]
    if let delimiter { members["delimiter"] = .string(String(UnicodeScalar(delimiter))) }
    if let batchRowCounts { members["batches"] = .array(batchRowCounts.map { ["rows": .int(Int64($0))] }) }
    if let parquet {
      members["created_by"] = parquet.createdBy.map { .string($0) } ?? .null
      members["version"] = .int(Int64(parquet.version))
      members["metadata_keys"] = .array(parquet.keyValueKeys.map { .string($0) })
      members["parquet_schema"] = parquet.root.json
      members["row_groups"] = .array(parquet.rowGroups.map(\.json))
    }
    return .object(members)
  }
}

extension Field {
  fileprivate var inspected: JSON {
    var members: [String: JSON] = ["name": .string(name), "type": .string(type.description), "nullable": .bool(isNullable)]
    if let id { members["field_id"] = .int(Int64(id)) }
    if type.isNested { members["children"] = .array(type.childFields.map(\.inspected)) }
    return .object(members)
  }
}

extension JSON {
  fileprivate static func number(_ value: Int?) -> JSON { value.map { .int(Int64($0)) } ?? .null }
  fileprivate static func text(_ value: String?) -> JSON { value.map { .string($0) } ?? .null }
}

extension FileDescription.Element {
  fileprivate var json: JSON {
    var members: [String: JSON] = ["name": .string(name)]
    if let repetition { members["repetition"] = .string(repetition) }
    if let physicalType { members["physical_type"] = .string(physicalType) }
    if let logicalType { members["logical_type"] = .string(logicalType) }
    if let convertedType { members["converted_type"] = .string(convertedType) }
    if let fieldID { members["field_id"] = .int(Int64(fieldID)) }
    if !children.isEmpty { members["children"] = .array(children.map(\.json)) }
    return .object(members)
  }
}

extension FileDescription.RowGroup {
  fileprivate var json: JSON {
    [
      "rows": .number(rowCount), "offset": .number(offset), "compressed_bytes": .number(compressedByteCount),
      "uncompressed_bytes": .number(uncompressedByteCount), "columns": .array(columns.map(\.json)),
    ]
  }
}

extension FileDescription.ColumnChunk {
  fileprivate var json: JSON {
    var members: [String: JSON] = [
      "path": .string(path.joined(separator: ".")), "physical_type": .string(physicalType), "codec": .string(codec),
      "encodings": .array(encodings.map { .string($0) }), "values": .number(valueCount), "compressed_bytes": .number(compressedByteCount),
      "uncompressed_bytes": .number(uncompressedByteCount), "data_page_offset": .number(dataPageOffset),
      "dictionary_page_offset": .number(dictionaryPageOffset), "column_index": .bool(hasColumnIndex),
      "offset_index": .bool(hasOffsetIndex), "bloom_filter_bytes": .number(bloomFilterByteCount),
    ]
    if let statistics {
      members["statistics"] = [
        "min": .text(statistics.least), "max": .text(statistics.greatest), "nulls": .number(statistics.nullCount),
        "distinct": .number(statistics.distinctCount),
      ]
    }
    if let boundaryOrder {
      members["boundary_order"] = .string(boundaryOrder == 1 ? "ascending" : boundaryOrder == 2 ? "descending" : "unordered")
    }
    if let pages {
      members["pages"] = .array(
        pages.map { page in
          var members: [String: JSON] = [
            "kind": .text(page.kind), "offset": .number(page.offset), "bytes": .number(page.byteCount),
            "uncompressed_bytes": .number(page.uncompressedByteCount), "encoding": .text(page.encoding),
            "values": .number(page.valueCount), "rows": .number(page.rowCount),
          ]
          if let statistics = page.statistics {
            members["min"] = .text(statistics.least)
            members["max"] = .text(statistics.greatest)
            members["nulls"] = .number(statistics.nullCount)
          }
          return .object(members)
        })
    }
    return .object(members)
  }
}
