import Columns
import Features
import JSON

/// Label rows in batches of one size, however a file is divided, or made of entities and times.
struct LabelSource {
  private enum Rows {
    case file(TableFile, pending: Batch)
    case grid(LabelGrid, next: Int)
  }

  let schema: Schema
  /// Nil where the file does not say.
  let rowCount: Int?
  /// In messages.
  let name: String
  private var rows: Rows
  private var origin: [String: JSON]

  init(_ file: TableFile, path: String, output: String) {
    schema = file.schema
    rowCount = file.rowCount
    name = path
    rows = .file(file, pending: Batch.empty(file.schema))
    origin = ["file": .string(ManifestPath.relative(path, besides: output))]
  }

  init(_ grid: LabelGrid, dataset: String, origin: JSON) {
    schema = grid.schema
    rowCount = grid.rowCount
    name = "the entities of \(dataset)"
    rows = .grid(grid, next: 0)
    self.origin = origin.objectValue ?? [:]
  }

  /// What a manifest says of where the labels come from.
  func manifest(rowCount: Int) -> JSON {
    var members = origin
    members["rows"] = .int(Int64(rowCount))
    return .object(members)
  }

  /// The next rows, fewer at the end.
  mutating func next(_ count: Int) throws(AlmanacError) -> Batch {
    switch rows {
    case .grid(let grid, let start):
      let end = min(grid.rowCount, start + count)
      rows = .grid(grid, next: end)
      return grid.rows(start..<end)
    case .file(let file, let pending):
      var parts = [pending]
      var total = pending.rowCount
      while total < count, let batch = try file.next() {
        parts.append(batch)
        total += batch.rowCount
      }
      let filled = parts.filter { $0.rowCount > 0 }
      let all = filled.isEmpty ? pending : Batch.concatenate(filled)
      let taken = min(count, all.rowCount)
      rows = .file(file, pending: all.slice(from: taken, count: all.rowCount - taken))
      return all.slice(from: 0, count: taken)
    }
  }
}
