import Columns

#if canImport(Glibc)
  import Glibc
#endif

/// Does one piece of work as often as it is asked to: reads lines from standard input, works once a line, and answers with
/// the seconds that took. Preparation and clearing up are not timed.
///
///     ColumnarBenchmark WORK THREADS [FILE]
@main enum ColumnarBenchmark {
  static func main() throws {
    let arguments = CommandLine.arguments
    guard arguments.count >= 3, let threadCount = Int(arguments[2]), threadCount > 0 else {
      throw BenchmarkError("Cannot start: expected WORK THREADS [FILE], found \(arguments.dropFirst().joined(separator: " "))")
    }
    let work = try prepare(arguments[1], threadCount: threadCount, file: arguments.count > 3 ? arguments[3] : "")
    while readLine() != nil {
      let start = ContinuousClock.now
      let result = try work()
      let elapsed = start.duration(to: .now)
      // What was made lives until the clock has stopped; the peer's does as well.
      withExtendedLifetime(result) {}
      answer("\(elapsed / .seconds(1))\n")
    }
  }

  private static func prepare(_ name: String, threadCount: Int, file: String) throws -> () throws -> Any {
    switch name {
    case "read-parquet": return { try ParquetWork.read(file, threadCount: threadCount) }
    case "write-parquet": return try ParquetWork.writer(of: file, threadCount: threadCount)
    case "sort":
      let table = SortWork.table()
      return { SortWork.sort(table) }
    default: return try OtherFormats.prepare(name, threadCount: threadCount, file: file)
    }
  }

  private static func answer(_ text: String) {
    var text = text
    text.withUTF8 { _ = write(1, $0.baseAddress, $0.count) }
  }
}

struct BenchmarkError: Error, CustomStringConvertible {
  let description: String
  init(_ description: String) { self.description = description }
}
