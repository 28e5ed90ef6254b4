/// A general compression of pages.
package enum ParquetCodec: Hashable, Sendable {
  case none, snappy, gzip, brotli, lz4Raw
  /// Levels 1...22.
  case zstd(level: Int32)

  /// `CompressionCodec` of parquet.thrift.
  var code: Int32 {
    switch self {
    case .none: 0
    case .snappy: 1
    case .gzip: 2
    case .brotli: 4
    case .zstd: 6
    case .lz4Raw: 7
    }
  }
}
