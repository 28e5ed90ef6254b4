import Columns
import Glibc
import Testing

@testable import Parquet

/// Times a leaf of 1 Mi rows × 11 columns: set ALMANAC_PARQUET_TIME to run it, and ALMANAC_PARQUET_OUT to keep the file.
@Suite struct TimingTests {
  static let isWanted = getenv("ALMANAC_PARQUET_TIME") != nil

  static func transactions(_ count: Int) -> Batch {
    var generator = SeededGenerator(seed: 1)
    let fields = [
      Field("user_id", .string, isNullable: false), Field("event_time", .timestampMicros, isNullable: false),
      Field("transaction_id", .int64, isNullable: false), Field("amount", .float64), Field("currency", .string),
      Field("latitude", .float64), Field("merchant", .string), Field("count", .int32), Field("is_online", .bool),
      Field("score", .float32), Field("note", .string),
    ]
    var builders = fields.map { ColumnBuilder($0.type, capacity: count) }
    var time: Int64 = 1_700_000_000_000_000
    for row in 0..<count {
      let random = generator.next()
      if row % 40 == 0 { time = 1_700_000_000_000_000 }
      time += Int64(random % 60_000_000_000)
      builders[0].append(string: "user_\(String(1_000_000 + row / 40))")
      builders[1].append(time)
      builders[2].append(Int64(truncatingIfNeeded: random >> 20))
      builders[3].append(Double(random >> 40 % 100_000) / 100)
      builders[4].append(string: ["EUR", "USD", "CZK", "GBP"][Int(random % 4)])
      if random % 10 == 0 { builders[5].appendNull() } else { builders[5].append(Double.random(in: -90...90, using: &generator)) }
      builders[6].append(string: "merchant \(random >> 7 % 5000)")
      builders[7].append(Int32(truncatingIfNeeded: random >> 9 % 1000))
      builders[8].append(bool: random >> 11 & 1 == 1)
      builders[9].append(Float.random(in: 0...1, using: &generator))
      builders[10].append(string: "note \(random)")
    }
    return Batch(schema: Schema(fields), columns: builders.indices.map { builders[$0].finish() }, rowCount: count)
  }

  @Test(.enabled(if: isWanted)) func leafOfAMillionRows() throws {
    let batch = Self.transactions(1 << 20)
    let clock = ContinuousClock()
    for options in [ParquetWriterOptions.leaf(keyColumns: [0, 1, 2]), .export] {
      var file = BufferSlice.empty
      for _ in 0..<3 {
        print("write", clock.measure { file = ParquetWriter.encode(batch, options: options) }, file.byteCount, "bytes")
      }
      let reader = try ParquetReader(bytes: file)
      for _ in 0..<3 { print("read", try clock.measure { _ = try reader.read(rowGroup: 0) }) }
      for (index, field) in batch.schema.fields.enumerated() {
        let part = batch.selecting([field.name])!
        var one = options
        one.plainColumns = options.plainColumns.contains(index) ? [0] : []
        var bytes = BufferSlice.empty
        let write = clock.measure { bytes = ParquetWriter.encode(part, options: one) }
        let read = try clock.measure { _ = try reader.read(rowGroup: 0, columns: [index]) }
        print(field.name, "write", write, "read", read, bytes.byteCount)
      }
      if let folder = getenv("ALMANAC_PARQUET_OUT").map({ String(cString: $0) }), let target = fopen("\(folder)/timing.parquet", "wb") {
        file.withBytes { _ = fwrite($0.baseAddress, 1, $0.count, target) }
        fclose(target)
      }
    }
  }
}
