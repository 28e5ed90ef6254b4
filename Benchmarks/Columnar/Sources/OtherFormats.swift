/// The text formats and Arrow.
enum OtherFormats {
  static func prepare(_ name: String, threadCount: Int, file: String) throws -> () throws -> Any {
    throw BenchmarkError("There is no work named \(name)")
  }
}
