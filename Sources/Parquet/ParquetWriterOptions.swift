/// The encodings that a column can be given; what its type cannot take is refused.
package enum ParquetEncoding: Hashable, Sendable, CaseIterable {
  case plain, dictionary
  /// Booleans only.
  case rle
  /// INT32 and INT64.
  case deltaBinaryPacked
  /// BYTE_ARRAY.
  case deltaLengthByteArray
  /// BYTE_ARRAY and FIXED_LEN_BYTE_ARRAY.
  case deltaByteArray
  /// Everything of a fixed width but booleans.
  case byteStreamSplit
}

/// How a Parquet file is written.
package struct ParquetWriterOptions: Sendable {
  /// The layout of data pages. Every reader knows the first.
  package enum PageVersion: Hashable, Sendable { case v1, v2 }

  /// The general codec of all pages; ignored where `choosesCodec`.
  package var codec = ParquetCodec.zstd(level: 1)
  /// Takes LZ4 or zstd level 1, column by column, where it saves more than a tenth, else none.
  package var choosesCodec = false
  package var pageVersion = PageVersion.v1
  /// Whether columns of few distinct values may have a dictionary.
  package var dictionary = true
  /// Encodings by the name of the leaf (`price`, `tags.list.element`); the others are chosen by what they save.
  package var encodings: [String: ParquetEncoding] = [:]
  /// A row group of a streamed file ends at this many rows, or before its values take more than `rowGroupByteCount` in memory.
  package var rowGroupRowCount = 1 << 20
  /// Small enough that a writer, which holds one row group, stays far below the memory of a small machine; large enough that
  /// tables of up to 100 bytes a row get row groups of a million rows.
  package var rowGroupByteCount = 128 << 20
  /// The most values of a page, nulls included; pages of long values have fewer.
  package var pageRowCount = 1 << 14
  /// Columns without a general codec, so that their pages can be searched without decompressing: keys.
  package var plainColumns: Set<Int> = []
  /// Minimum, maximum and null count of every column chunk.
  package var statistics = true
  /// Column index and offset index, for readers that skip pages.
  package var pageIndex = true
  /// Leaves, by name, that get a split-block Bloom filter of 1 % false positives.
  package var bloomFilterColumns: Set<String> = []
  /// A CRC-32 in every page header.
  package var crc = true
  /// Written into the footer, ascending by key: `ARROW:schema` tells Arrow's readers of durations and zones, for example.
  package var keyValueMetadata: [String: String] = [:]
  /// The name under which the file will stand, for a seal that binds its page indexes and footer to it (`FileSeal`); nil for none.
  package var sealedName: [UInt8]?
  /// Columns of a row group that are encoded at once. The bytes do not depend on it.
  package var threadCount = 1

  package init() {}

  /// For files that leave the repository.
  package static let export = ParquetWriterOptions()

  /// For leaves of a dataset. - Parameter name: of the leaf, for its seal.
  package static func leaf(keyColumns: Set<Int>, name: [UInt8]? = nil) -> ParquetWriterOptions {
    var options = ParquetWriterOptions()
    options.sealedName = name
    options.choosesCodec = true
    options.plainColumns = keyColumns
    return options
  }
}
