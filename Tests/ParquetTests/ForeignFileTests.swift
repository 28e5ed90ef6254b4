import Columns
import Glibc
import Testing

@testable import Parquet

/// Reads every file of a folder and writes it again, so that another engine can compare both: set ALMANAC_PARQUET_IN and
/// ALMANAC_PARQUET_OUT to run it.
@Suite struct ForeignFileTests {
  static let input = getenv("ALMANAC_PARQUET_IN").map { String(cString: $0) }
  static let output = getenv("ALMANAC_PARQUET_OUT").map { String(cString: $0) }

  static func bytes(_ path: String) -> BufferSlice? {
    guard let file = fopen(path, "rb") else { return nil }
    defer { fclose(file) }
    var bytes: [UInt8] = []
    var block = [UInt8](repeating: 0, count: 1 << 20)
    while true {
      let count = fread(&block, 1, block.count, file)
      if count == 0 { return BufferSlice(copying: bytes) }
      bytes.append(contentsOf: block[..<count])
    }
  }

  static func names(_ folder: String) -> [String] {
    guard let directory = opendir(folder) else { return [] }
    defer { closedir(directory) }
    var names: [String] = []
    while let entry = readdir(directory) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      if name.hasSuffix(".parquet") { names.append(name) }
    }
    return names.sorted()
  }

  @Test(.enabled(if: input != nil && output != nil)) func filesAreReadAndWrittenAgain() throws {
    guard let input = Self.input, let output = Self.output else { return }
    for name in Self.names(input) {
      guard let bytes = Self.bytes("\(input)/\(name)") else { continue }
      do {
        let batch = try ParquetReader(bytes: bytes).readAll()
        for (profile, options) in [("export", ParquetWriterOptions.export), ("leaf", .leaf(keyColumns: [0]))] {
          let written = ParquetWriter.encode(batch, options: options)
          guard let file = fopen("\(output)/\(name).\(profile).parquet", "wb") else { continue }
          written.withBytes { _ = fwrite($0.baseAddress, 1, $0.count, file) }
          fclose(file)
          let again = try ParquetReader(bytes: written).readAll()
          for (a, b) in zip(batch.columns, again.columns) { #expect(a.equalsExactly(b)) }
        }
      } catch {
        guard let file = fopen("\(output)/\(name).error", "w") else { continue }
        fputs("\(error.kind): \(error)\n", file)
        fclose(file)
      }
    }
  }
}
