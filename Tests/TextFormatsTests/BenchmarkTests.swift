import Columns
import Glibc
import Testing
import TextFormats

/// Times whole files, for comparison with other engines; runs only where the environment names a file:
/// `ALMANAC_TEXT_FILE=transactions.csv swift test -c release -Xswiftc -enable-testing --filter Benchmark`.
@Suite struct BenchmarkTests {
  static let path = getenv("ALMANAC_TEXT_FILE").map { String(cString: $0) }

  /// - Parameter clock: the processor time of all threads says more than the clock on a busy machine.
  static func seconds(_ clock: clockid_t = CLOCK_MONOTONIC) -> Double {
    var time = timespec()
    clock_gettime(clock, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
  }

  static func map(_ path: String) throws -> BufferSlice {
    let descriptor = open(path, O_RDONLY)
    try #require(descriptor >= 0)
    let byteCount = Int(lseek(descriptor, 0, SEEK_END))
    let address = try #require(mmap(nil, byteCount, PROT_READ, MAP_PRIVATE, descriptor, 0))
    return BufferSlice(owner: nil, start: UnsafeRawPointer(address), byteCount: byteCount)
  }

  @Test(.enabled(if: path != nil)) func wholeFile() throws {
    let path = try #require(Self.path)
    let bytes = try Self.map(path)
    let megabytes = Double(bytes.byteCount) / 1e6
    if path.hasSuffix(".csv") {
      let (start, processorStart) = (Self.seconds(), Self.seconds(CLOCK_PROCESS_CPUTIME_ID))
      _ = try CSVReader(bytes: bytes, options: CSVOptions(sampleByteCount: .max))
      let processor = Self.seconds(CLOCK_PROCESS_CPUTIME_ID) - processorStart
      report("survey of the whole file, \(Int(processor * 1000)) ms of processors", bytes.byteCount, Self.seconds() - start)
    }
    for _ in 0..<4 {
      let start = Self.seconds()
      let processorStart = Self.seconds(CLOCK_PROCESS_CPUTIME_ID)
      var batches: [Batch] = []
      var surveyed = 0.0
      if path.hasSuffix(".csv") {
        var reader = try CSVReader(bytes: bytes)
        surveyed = Self.seconds()
        while let batch = try reader.next() { batches.append(batch) }
      } else {
        var reader = try JSONLinesReader(bytes: bytes)
        surveyed = Self.seconds()
        while let batch = try reader.next() { batches.append(batch) }
      }
      let read = Self.seconds()
      let processor = Self.seconds(CLOCK_PROCESS_CPUTIME_ID) - processorStart
      let rowCount = batches.reduce(0) { $0 + $1.rowCount }
      let schema = batches[0].schema
      var byteCount = 0
      for isCSV in [true, false] {
        let start = Self.seconds()
        var (csv, lines) = (CSVWriter(schema: schema), JSONLinesWriter(schema: schema))
        var sink: [UInt8] = []
        byteCount = 0
        for batch in batches {
          sink.removeAll(keepingCapacity: true)
          if isCSV { csv.write(batch, to: &sink) } else { lines.write(batch, to: &sink) }
          byteCount += sink.count
        }
        report("write \(isCSV ? "CSV" : "JSON Lines")", byteCount, Self.seconds() - start)
      }
      report("survey", 0, surveyed - start)
      report(
        "read \(rowCount) rows, \(Int(processor * 1000)) ms of processors, \(schema.fields.map { "\($0.type)" })", Int(megabytes * 1e6),
        read - start)
    }
  }

  private func report(_ action: String, _ byteCount: Int, _ seconds: Double) {
    let text = "\(action): \(Int(seconds * 1000)) ms, \(Int(Double(byteCount) / 1e6 / seconds)) MB/s\n"
    _ = text.utf8CString.withUnsafeBytes { write(STDERR_FILENO, $0.baseAddress, $0.count - 1) }
  }
}
