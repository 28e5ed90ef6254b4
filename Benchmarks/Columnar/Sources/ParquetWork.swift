import Columns
import Parquet

enum ParquetWork {
  /// All columns of all row groups, one batch a row group.
  static func read(_ path: String, threadCount: Int) throws -> [Batch] {
    let reader = try ParquetReader(bytes: MappedFile.bytes(path))
    // A task a column: row groups are few, and their columns of unequal weight.
    let columnCount = reader.schema.fields.count
    let tasks = (0..<reader.rowGroupCount * columnCount).map { (group: $0 / columnCount, column: $0 % columnCount) }
    let columns = try parallelMap(tasks, threadCountMax: threadCount) { task in
      try reader.read(rowGroup: task.group, columns: [task.column]).columns[0]
    }
    return (0..<reader.rowGroupCount).map { group in
      Batch(
        schema: reader.schema, columns: Array(columns[group * columnCount..<(group + 1) * columnCount]),
        rowCount: reader.rowCount(ofRowGroup: group))
    }
  }

  /// The file's table once more as Parquet in memory: zstd level 1, row groups of 1 Mi rows.
  static func writer(of path: String, threadCount: Int) throws -> () throws -> Any {
    let batches = try read(path, threadCount: 1)
    var options = ParquetWriterOptions.export
    options.threadCount = threadCount
    return { [options] in
      var file = GrowableBuffer()
      let sink: (UnsafeRawBufferPointer) throws -> Void = { file.append(bytes: $0) }
      var writer = ParquetWriter(schema: batches[0].schema, options: options)
      for batch in batches { try writer.write(batch, into: sink) }
      try writer.finish(into: sink)
      return file.finish()
    }
  }
}
