import Columns

#if canImport(TextFormats) && canImport(Arrow)
  import Arrow
  import TextFormats

  /// The text formats and Arrow.
  enum OtherFormats {
    static func prepare(_ name: String, threadCount: Int, file: String) throws -> () throws -> Any {
      switch name {
      case "read-csv":
        return {
          var reader = try CSVReader(bytes: MappedFile.bytes(file))
          var batches: [Batch] = []
          while let batch = try reader.next() { batches.append(batch) }
          return batches
        }
      case "read-arrow": return { try readArrow(file, threadCount: threadCount) }
      case "write-arrow":
        let batches = try readArrow(file, threadCount: threadCount)
        return { try writeArrow(batches) }
      default: throw BenchmarkError("There is no work named \(name)")
      }
    }

    private static func readArrow(_ path: String, threadCount: Int) throws -> [Batch] {
      var reader = try ArrowReader(bytes: MappedFile.bytes(path))
      reader.threadCountMax = threadCount
      var batches: [Batch] = []
      while let batch = try reader.next() { batches.append(batch) }
      return batches
    }

    private static func writeArrow(_ batches: [Batch]) throws -> BufferSlice {
      guard let first = batches.first else { return .empty }
      var file = GrowableBuffer()
      let sink: (UnsafeRawBufferPointer) throws -> Void = { file.append(bytes: $0) }
      var writer = ArrowWriter(schema: first.schema)
      for batch in batches { try writer.write(batch, into: sink) }
      try writer.finish(into: sink)
      return file.finish()
    }
  }
#else
  /// Stands in where these rooms are not built.
  enum OtherFormats {
    static func prepare(_ name: String, threadCount: Int, file: String) throws -> () throws -> Any {
      throw BenchmarkError("There is no work named \(name)")
    }
  }
#endif
