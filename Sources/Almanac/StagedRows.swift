import Checks
import Columns
import Crypto
import History
import JSON
import Tables

/// The rows of one dataset's files, read, fitted to the contract and checked, but not yet written.
struct StagedRows: Sendable {
  let dataset: String
  let contract: Contract
  /// What the rows are stored under.
  let layout: TableLayout
  let input: TableInput
  /// What the input has shown so far; values that its rows lack are checked when they are known.
  let gate: Gate
  let inputs: [JSON]
  /// Columns that were not sent.
  let absences: [CommitReport.Absence]
  /// Where each file's rows begin among all.
  let files: [(name: String, firstRow: Int)]

  /// A row in the words of its file: "row 12 of january.csv", rows counted from 1.
  func place(ofRow row: Int) -> String {
    let file = files.last { $0.firstRow <= row }
    return "row \(row - (file?.firstRow ?? 0) + 1) of \(file?.name ?? "the input")"
  }
}

/// What reading the inputs of a commit depends on.
struct Staging {
  let mode: ChangeMode
  let definitions: Definitions
  /// Of the parent.
  let datasets: [String: DatasetRef]
  let parent: CommitID?
  let memoryByteCount: Int
}

extension Repository {
  /// Whether rows that were staged for another parent are what would be staged for this one.
  func isCurrent(
    _ staged: [StagedRows], _ mode: ChangeMode, _ definitions: Definitions, _ datasets: [String: DatasetRef], _ parent: CommitID?
  ) throws(AlmanacError) -> Bool {
    for rows in staged {
      guard definitions.contracts[rows.dataset] == rows.contract else { return false }
      guard try layout(of: rows.dataset, rows.contract, mode, datasets, parent) == rows.layout else { return false }
    }
    return true
  }

  private func layout(
    of dataset: String, _ contract: Contract, _ mode: ChangeMode, _ datasets: [String: DatasetRef], _ parent: CommitID?
  ) throws(AlmanacError) -> TableLayout {
    try AlmanacError.translating {
      guard let base = try datasets[dataset].map({ try TableVersion(archive: archive, root: $0.root) }) else {
        var identity = ColumnIdentity(archive)
        return try identity.layout(of: dataset, under: contract, after: parent)
      }
      return try mode == .replace ? contract.layout(replacing: base.layout) : contract.layout(evolving: base.layout)
    }
  }

  /// Reads and checks the inputs of a commit, dataset by dataset in the order named.
  func stage(_ inputs: [CommitInput], _ staging: Staging, progress: ProgressHandler?) throws(AlmanacError) -> [StagedRows] {
    let (mode, definitions) = (staging.mode, staging.definitions)
    var order: [String] = []
    for input in inputs where !order.contains(input.dataset) { order.append(input.dataset) }
    for name in order where definitions.contracts[name] == nil {
      let known = definitions.contracts.keys.sorted()
      throw AlmanacError(
        .notFound, "There is no dataset \(name): no contract of that name is registered",
        hint: known.isEmpty
          ? "Write a contract to schemas/\(name).yaml and run `almanac apply`." : "Registered datasets: \(known.joined(separator: ", ")).")
    }
    for name in order where mode != .append && definitions.contracts[name]?.kind == .log {
      throw AlmanacError(
        .failed, "Cannot \(mode.rawValue) rows of \(name): it is a log, to which rows are only appended",
        hint: "Rows that change or go need a dataset with a primary key.")
    }
    return try order.map { (name) throws(AlmanacError) in
      try stage(
        name, paths: inputs.filter { $0.dataset == name }.map(\.path), contract: definitions.contracts[name]!, staging,
        progress: progress)
    }
  }

  private func stage(
    _ dataset: String, paths: [String], contract full: Contract, _ staging: Staging, progress: ProgressHandler?
  ) throws(AlmanacError) -> StagedRows {
    let mode = staging.mode
    // A delete reads only the key columns; its rows need not satisfy the rules of the others.
    let contract = mode == .delete ? full.keyOnly : full
    var gate = try AlmanacError.translating { try Gate(contract: contract) }
    let layout = try layout(of: dataset, full, mode, staging.datasets, staging.parent)
    var collector = InputCollector(archive: archive, layout: layout, memoryByteCount: staging.memoryByteCount)
    var sent = SentColumns(full, mode)
    var options = TableFileOptions()
    options.marksAbsentKeys = mode == .upsert
    var files: [(name: String, firstRow: Int)] = []
    var inputs: [JSON] = []
    var rowCount = 0
    for path in paths {
      let file = try TableFile(path: path, types: contract.schema, wholeRowGroups: true, options: options)
      let digest = file.digest()
      let reading = ReadAhead(file)
      files.append((file.name, rowCount))
      var fileRowCount = 0
      repeat {
        let next = try reading.next()
        // An input without rows still has columns to check.
        guard let batch = next ?? (fileRowCount == 0 ? Batch.empty(file.schema) : nil) else { break }
        let (rows, marks) = batch.splittingMarks(from: file.schema)
        let wanted = mode == .delete ? rows.keeping(contract.schema) : rows
        let conformed = try AlmanacError.translating {
          try gate.conform(wanted, source: file.name, firstRow: fileRowCount, needsKeyAlone: mode == .upsert)
        }
        let lacks = sent.note(rows, marks: marks)
        gate.check(conformed, lacks, sent.shapes, firstRow: rowCount)
        let stored = layout.stored(conformed, firstOrdinal: full.kind == .log ? rowCount : nil)
        try AlmanacError.translating { try collector.add(stored, shapes: lacks.shapes) }
        rowCount += conformed.rowCount
        fileRowCount += conformed.rowCount
        progress?("reading \(dataset)", rowCount, 0)
        if next == nil { break }
      } while true
      inputs.append([
        "dataset": .string(dataset), "file": .string(file.name.lastPathComponent), "rows": .int(Int64(fileRowCount)),
        "sha256": .string(try digest.value()),
      ])
    }
    let verdict = gate.verdict()
    let input = try AlmanacError.translating { try collector.finish(shapes: sent.shapes) }
    let staged = StagedRows(
      dataset: dataset, contract: full, layout: layout, input: input, gate: gate, inputs: inputs, absences: sent.absences, files: files)
    if let conflict = collector.conflict { throw refusal(of: conflict, staged) }
    guard verdict.results.allSatisfy({ $0.passed || $0.rule.severity != .error || $0.rule.isAboutDataset }) else {
      // Only a replacement has as many rows as its input.
      throw Self.refusal(by: mode == .replace ? verdict : verdict.aboutRows())
    }
    return staged
  }

  static func refusal(by verdict: Verdict) -> AlmanacError {
    AlmanacError(
      .failed, "The commit to \(verdict.dataset) was refused by its contract; nothing was changed.\n\(verdict.report())",
      hint: "Correct the rows or the contract (schemas/), then commit again.")
  }
}

extension StagedRows {
  /// The verdict with what only the resulting dataset shows: that keys are unique, and how many rows there are.
  /// - Parameter gate: this one's, when it has seen the rows whole.
  func verdict(on content: TableContent, of gate: Gate) -> Verdict {
    var verdict = gate.verdict()
    verdict.noteDuplicateKeys(count: 0, first: [])
    verdict.noteDatasetRowCount(content.rowCount)
    return verdict
  }
}

extension Gate {
  /// Checks the values that rows of an input have. - Parameter shapes: those that the rows' numbers mean.
  fileprivate mutating func check(_ rows: Batch, _ lacks: SentColumns.Lacks, _ shapes: RowShapes, firstRow: Int) {
    guard let numbers = lacks.shapes, lacks.isMixed else {
      // What a whole file does not have is null in an append or replacement, and known later in an upsert.
      let absent = lacks.shapes?.first.map { shapes.absent[Int($0)] } ?? []
      return check(rows, firstRow: firstRow, without: absent)
    }
    check(rows, firstRow: firstRow, without: Array(rows.columns.indices))
    check(rows, rows: Array(firstRow..<firstRow + rows.rowCount)) { column in
      let isAbsent = shapes.lacking(column)
      return numbers.indices.filter { !isAbsent[Int(numbers[$0])] }.map { Int32($0) }
    }
  }
}

extension TableLayout {
  /// Rows that fit the contract as they are stored: a log's with its hidden key, a removal's with nulls beside the key.
  /// - Parameter firstOrdinal: of a log; its batch is drawn when the commit is tried.
  fileprivate func stored(_ rows: Batch, firstOrdinal: Int?) -> Batch {
    guard let firstOrdinal else { return padded(rows) }
    let hidden = LogKey.columns(rows: firstOrdinal..<firstOrdinal + rows.rowCount)
    return Batch(schema: schema, columns: rows.columns + hidden, rowCount: rows.rowCount)
  }
}

extension Rule {
  /// Decided by the rows of the whole dataset, not by those of the input.
  var isAboutDataset: Bool { if case .rowCount = kind { true } else { false } }

  /// Whether a dataset of so many rows satisfies it, as far as their number decides.
  func allows(rowCount: Int) -> Bool {
    guard case .rowCount(let minimum, let maximum) = kind else { return true }
    return Int64(rowCount) >= minimum ?? 0 && Int64(rowCount) <= maximum ?? .max
  }
}

extension Contract {
  /// The contract of the key columns alone, with what it asks of the dataset as a whole.
  var keyOnly: Contract {
    var copy = self
    copy.columns = columns.filter { primaryKey.contains($0.name) }
    copy.rules = rules.filter(\.isAboutDataset)
    if let createdTime, !primaryKey.contains(createdTime) { copy.createdTime = nil }
    return copy
  }
}

extension Batch {
  func dropping(_ names: [String]) -> Batch { selecting(schema.fields.map(\.name).filter { !names.contains($0) })! }

  /// Without the columns that `schema` does not name.
  func keeping(_ wanted: Schema) -> Batch {
    selecting(schema.fields.map(\.name).filter { wanted.index(of: $0) != nil })!
  }
}

extension String {
  var lastPathComponent: String { split(separator: "/").last.map(String.init) ?? self }
}

extension InputBytes {
  /// SHA-256 of a file's bytes in hex; standard input and pipes, which are gone once read, have none.
  static func digest(of bytes: BufferSlice, from path: String) throws(AlmanacError) -> String {
    guard isMapped(bytes) || (bytes.byteCount == 0 && isRegularFile(path)) else { return "" }
    var hasher = SHA256()
    // Pages of a mapped file count as the process's memory until they are given back.
    for start in stride(from: 0, to: bytes.byteCount, by: digestStepByteCount) {
      let part = bytes.slice(byteOffset: start, byteCount: min(digestStepByteCount, bytes.byteCount - start))
      part.withBytes { hasher.update(bufferPointer: $0) }
      releasePages(of: part)
    }
    try checkUnchanged(bytes, path)
    return hasher.finalize().hex
  }

  /// A multiple of every page size.
  private static let digestStepByteCount = 32 << 20
}

extension Sequence where Element == UInt8 {
  /// Lower-case hex digits.
  var hex: String {
    let digits = Array("0123456789abcdef".utf8)
    return String(decoding: flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
  }
}
