/// How a Parquet file is written.
package struct ParquetWriterOptions: Sendable {
  /// The general codec of all pages; ignored where `choosesCodec`.
  package var codec = ParquetCodec.zstd(level: 1)
  /// Takes LZ4 or zstd level 1, column by column, where it saves more than a tenth, else none.
  package var choosesCodec = false
  /// Rows of a row group of a streamed file.
  package var rowGroupRowCount = 1 << 20
  /// The most rows of a page; pages of long strings have fewer.
  package var pageRowCount = 1 << 14
  /// Columns without a general codec, so that their pages can be searched without decompressing: keys.
  package var plainColumns: Set<Int> = []
  /// Minimum, maximum and null count of every column chunk.
  package var statistics = true
  /// Column index and offset index, for readers that skip pages.
  package var pageIndex = true
  /// A CRC-32 in every page header.
  package var crc = true

  package init() {}

  /// For files that leave the repository.
  package static let export = ParquetWriterOptions()

  /// For leaves of a dataset.
  package static func leaf(keyColumns: Set<Int>) -> ParquetWriterOptions {
    var options = ParquetWriterOptions()
    options.choosesCodec = true
    options.plainColumns = keyColumns
    return options
  }
}
