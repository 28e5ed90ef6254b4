import Columns
import Glibc
import Testing

@testable import Parquet

@Suite struct DamagedFileTests {
  /// The text of the error that reading the bytes gives; nil when they can be read.
  static func failure(_ bytes: [UInt8]) -> ParquetError? {
    do throws(ParquetError) {
      _ = try ParquetReader(bytes: BufferSlice(copying: bytes)).readAll()
      return nil
    } catch {
      return error
    }
  }

  static func numbers(crc: Bool = true, codec: ParquetCodec = .none) -> [UInt8] {
    let batch = Batch(
      schema: Schema([Field("amount", .int64)]), columns: [Column(.int64, (0..<1000).map { .int($0 * $0 * 7919 % 100_003) })],
      rowCount: 1000)
    var options = ParquetWriterOptions.with(codec: codec, pageRowCount: 400)
    options.crc = crc
    return ParquetWriter.encode(batch, options: options).withBytes { Array($0) }
  }

  @Test func truncatedFilesSaySo() {
    let file = Self.numbers()
    #expect(
      Self.failure(Array(file.dropLast(1)))?.text
        == "Cannot read the file: it does not end with PAR1, it is truncated or no Parquet file")
    #expect(Self.failure(Array("PAR1".utf8))?.text == "Cannot read the file: it has 4 bytes, a Parquet file at least 12")
    #expect(Self.failure([])?.kind == .malformed)
    // The tail of a longer file: its footer's length points before the start.
    #expect(
      Self.failure(Array("PAR1".utf8) + file.suffix(8))?.text.hasPrefix("Cannot read the footer: it claims ") == true)
  }

  @Test func encryptedFootersAreRefused() {
    let bytes = Array(Self.numbers().dropLast(4)) + Array("PARE".utf8)
    #expect(Self.failure(bytes) == ParquetError(kind: .unsupported, text: "Cannot read the file: its footer is encrypted"))
  }

  @Test func aFlippedByteFailsTheChecksumOfItsPage() throws {
    var file = Self.numbers()
    file[100] ^= 0x10
    let error = try #require(Self.failure(file))
    #expect(error.kind == .malformed)
    #expect(
      error.text.hasPrefix("Cannot read column amount in row group 0: page 0 at byte 4: its checksum is "), "\(error.text)")
  }

  /// Files of all encodings and codecs.
  static func victims() -> [[UInt8]] {
    var generator = SeededGenerator(seed: 21)
    var files: [[UInt8]] = []
    for (shape, codec) in zip(
      [Samples.Shape.few, .sorted, .any, .any, .constant, .allNull], [ParquetCodec.none, .none, .snappy, .lz4Raw, .gzip, .zstd(level: 1)])
    {
      for keys in [Set<Int>(), Set(0..<20)] {
        var options = ParquetWriterOptions.with(codec: codec, pageRowCount: 40)
        options.crc = false
        options.plainColumns = keys
        let batch = Samples.batch(count: 100, shape: shape, nulls: shape == .any, &generator)
        files.append(ParquetWriter.encode(batch, options: options).withBytes { Array($0) })
      }
    }
    return files
  }

  @Test func randomDamageNeverTraps() {
    let seed = getenv("ALMANAC_FUZZ_SEED").flatMap { UInt64(String(cString: $0)) } ?? 4242
    let roundCount = getenv("ALMANAC_FUZZ_ROUNDS").flatMap { Int(String(cString: $0)) } ?? 60
    print("seed \(seed), \(roundCount) rounds a file")
    var generator = SeededGenerator(seed: seed)
    var victims = Self.victims()
    if let folder = ForeignFileTests.input {
      for name in ForeignFileTests.names(folder) {
        guard let bytes = ForeignFileTests.bytes("\(folder)/\(name)"), bytes.byteCount < 200_000 else { continue }
        victims.append(bytes.withBytes { Array($0) })
      }
    }
    // Nested ones, of other writers.
    for name in ["nullable.impala", "map_no_value", "old_list_structure", "repeated_no_annotation", "null_list"] {
      guard let folder = ConformanceTests.folder, let bytes = ForeignFileTests.bytes("\(folder)/data/\(name).parquet") else { continue }
      victims.append(bytes.withBytes { Array($0) })
    }
    var failureCount = 0
    for file in victims {
      for _ in 0..<roundCount {
        var bytes = file
        // The footer is small and decides much: half of the damage goes there.
        let low = Bool.random(using: &generator) ? max(0, file.count - 2000) : 0
        for _ in 0...Int.random(in: 0..<6, using: &generator) {
          let place = Int.random(in: low..<file.count, using: &generator)
          switch generator.next() % 3 {
          case 0: bytes[place] ^= 1 << UInt8(generator.next() % 8)
          case 1: bytes[place] = UInt8(truncatingIfNeeded: generator.next())
          default: bytes[place] = [0, 0x7F, 0x80, 0xFF][Int(generator.next() % 4)]
          }
        }
        if generator.next() % 16 == 0 { bytes.removeSubrange(0..<Int.random(in: 0..<bytes.count, using: &generator)) }
        if Self.failure(bytes) != nil { failureCount += 1 }
        if let reader = try? ParquetReader(bytes: BufferSlice(copying: bytes)), reader.rowGroupCount > 0 {
          let count = reader.rowCount(ofRowGroup: 0)
          if count > 2 { _ = try? reader.read(rowGroup: 0, rows: count / 3..<(count / 3 + 1)) }
          var scan = ParquetScan(reader, batchRowCountMax: 37)
          while let batch = try? scan.next(), batch.rowCount > 0 {}
        }
      }
    }
    #expect(failureCount > victims.count)
  }
}
