import Checks
import Columns
import Features
import History
import JSON
import Objects
import Tables

/// A training set kept as a dataset: its rows in label order under a row number, and the recipe it came from.
struct SavedTrainingSet {
  /// The key of a saved training set, which has none by itself: a label row may occur twice. Counted from 0.
  static let rowColumn = "_almanac_row"

  let name: String
  let batch: Batch
  let contract: Contract

  /// - Throws: `AlmanacError` when a column has a type that datasets do not hold.
  init(name: String, training: Batch) throws {
    let allowed = name.unicodeScalars.allSatisfy {
      $0.isASCII && ($0.properties.isAlphabetic || $0.properties.numericType != nil || $0 == "_")
    }
    guard allowed, name.first?.isLetter == true || name.first == "_" else {
      throw AlmanacError(
        .usage, "Cannot save a training set as \(name): a dataset's name has letters, digits and _, and starts with no digit")
    }
    var fields = [Field(Self.rowColumn, .int64, isNullable: false)]
    var columns = [Column(.int64, (0..<training.rowCount).map { .int(Int64($0)) })]
    for (field, column) in zip(training.schema.fields, training.columns) {
      guard let type = field.type.datasetType else {
        throw AlmanacError(
          .failed, "Cannot save the training set as \(name): column \(field.name) is \(field.type), which datasets do not hold",
          hint: "Write it to a file with --out, or leave the column out of the labels.")
      }
      let stored = try column.cast(to: type)
      fields.append(Field(field.name, stored.type))
      columns.append(stored)
    }
    self.name = name
    batch = Batch(schema: Schema(fields), columns: columns, rowCount: training.rowCount)
    contract = Contract(
      name: name, version: "1.0.0", description: "A training set, made by `almanac train --save`.",
      columns: fields.map {
        ContractColumn(
          name: $0.name, type: $0.type, isRequired: !$0.isNullable, primaryKeyPosition: $0.name == Self.rowColumn ? 1 : nil)
      },
      primaryKey: [Self.rowColumn], partition: .none)
  }
}

extension Repository {
  /// Commits a training set as a dataset to the current branch, with its recipe and the commit it was made from as inputs.
  /// - Returns: nil when the branch has exactly these rows already.
  /// Saved again with other columns, it gains and drops columns as any dataset does.
  /// - Throws: `failed` when the name belongs to a dataset that is not a saved training set, or when a column has another type now.
  func save(_ rows: Batch, of training: TrainingRun, as name: String, manifest: JSON, from id: CommitID) throws(AlmanacError) -> CommitID? {
    let branch = try headBranch()
    let saved = try AlmanacError.translating { try SavedTrainingSet(name: name, training: rows) }
    var turn: VolumeLock?
    defer { withExtendedLifetime(turn) {} }
    for lossCount in 0..<Self.raceCountMax {
      if turn == nil { turn = try AlmanacError.translating { try archive.writerTurn(lossCount: lossCount) } }
      let parent = try tip(of: branch)
      var definitions = try definitions(at: parent)
      if let existing = definitions.contracts[name], existing.primaryKey != [SavedTrainingSet.rowColumn] {
        throw AlmanacError(
          .failed, "Cannot save the training set as \(name): a dataset of this name is registered already", hint: "Choose another name.")
      }
      definitions.contracts[name] = saved.contract
      let old = try parent.map { (id) throws(AlmanacError) in try commit(id) }
      var draft = archive.draft()
      let outcome = try AlmanacError.translating { () -> (CommitID, PublishOutcome)? in
        let base = try old?.datasets[name].map { try TableVersion(archive: archive, root: $0.root) }
        let layout = try saved.contract.layout(evolving: base?.layout)
        let rows = Batch(schema: layout.schema, columns: saved.batch.columns, rowCount: saved.batch.rowCount)
        guard
          case .content(let content) = try TableWriter(archive: archive, layout: layout, policy: tailPolicy).apply(
            .replace, rows, onto: base)
        else {
          throw AlmanacError(.failed, "Cannot save the training set as \(name): its row numbers repeat")
        }
        var datasets = old?.datasets ?? [:]
        datasets[name] = DatasetRef(root: content.addRoot(to: &draft), rows: content.rowCount)
        if datasets == old?.datasets { return nil }
        let created = Commit(
          parents: parent.map { [$0] } ?? [], datasets: datasets, definitions: draft.addBlob(definitions.json.canonicalBytes),
          author: Self.defaultAuthor, message: "train: save \(name)", timeMicros: Self.nowMicros(),
          inputs: [["dataset": .string(name), "commit": .string(id.description), "manifest": manifest]],
          producer: producer(["command": "train", "service": .string(training.service.name)]), verdicts: nil)
        let commit = draft.addCommit(created)
        return (commit, try archive.publish(&draft, commit: commit, to: branch, expecting: parent, reason: "train: save \(name)"))
      }
      guard let outcome else { return nil }
      if case .moved = outcome.1 { return outcome.0 }
    }
    throw AlmanacError(.failed, "Branch \(branch) was moved by other writers; the training set was not saved", hint: "Try again.")
  }
}
