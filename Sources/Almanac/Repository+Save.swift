import Columns
import Features
import History
import JSON
import Objects
import Tables

extension Repository {
  /// A training set to be saved on the current branch, before its first row.
  /// - Throws: `failed` when the name belongs to a dataset that is not a saved training set, or when a column has another type now.
  func savedTrainingSet(_ name: String, schema: Schema) throws(AlmanacError) -> SavedTrainingSet {
    let tip = try currentTip()
    try checkSaving(name, among: definitions(at: tip))
    let reference = try tip.flatMap { (id) throws(AlmanacError) in try commit(id).datasets[name] }
    return try AlmanacError.translating {
      let base = try reference.map { try TableVersion(archive: archive, root: $0.root) }
      return try SavedTrainingSet(name: name, schema: schema, archive: archive, evolving: base?.layout)
    }
  }

  private func checkSaving(_ name: String, among definitions: Definitions) throws(AlmanacError) {
    guard let existing = definitions.contracts[name], existing.primaryKey != [SavedTrainingSet.rowColumn] else { return }
    throw AlmanacError(
      .failed, "Cannot save the training set as \(name): a dataset of this name is registered already", hint: "Choose another name.")
  }

  /// Commits a training set as a dataset to the current branch, with its recipe and the commit it was made from as inputs.
  ///
  /// Saved again with other columns, it gains and drops columns as any dataset does.
  /// - Returns: nil when the branch has exactly these rows by this recipe already.
  /// - Throws: `failed` as `savedTrainingSet`, or when the columns of the saved one were changed by someone else meanwhile.
  func save(
    _ saved: SavedTrainingSet, of training: TrainingRun, manifest: JSON, from id: CommitID
  ) throws(AlmanacError) -> CommitID? {
    let branch = try headBranch()
    let name = saved.name
    let recipe = manifest["recipe"]?.stringValue
    let rows = try AlmanacError.translating { try saved.rows() }
    let outcome = try tryingOnTip(of: branch) { (parent) throws(AlmanacError) -> CommitID?? in
      var definitions = try definitions(at: parent)
      try checkSaving(name, among: definitions)
      definitions.contracts[name] = saved.contract
      let old = try parent.map { (id) throws(AlmanacError) in try commit(id) }
      var draft = archive.draft()
      let outcome = try AlmanacError.translating { () -> (CommitID, PublishOutcome)? in
        var datasets = old?.datasets ?? [:]
        if let content = try content(of: saved, rows, onto: old?.datasets[name]) {
          datasets[name] = DatasetRef(root: content.addRoot(to: &draft), rows: content.rowCount)
        }
        // Equal rows by another recipe are worth a commit: it says that the training set is up to date.
        if datasets == old?.datasets,
          try savedRecipes(definitions, tip: parent).contains(where: { $0.dataset == name && $0.recipe == recipe })
        {
          return nil
        }
        let created = Commit(
          parents: parent.map { [$0] } ?? [], datasets: datasets, definitions: draft.addBlob(definitions.json.canonicalBytes),
          author: Self.defaultAuthor, message: "train: save \(name)", timeMicros: try commitTime(after: [parent, id]),
          inputs: [["dataset": .string(name), "commit": .string(id.description), "manifest": manifest]],
          producer: producer(["command": "train", "service": .string(training.service.name)]), verdicts: nil)
        let commit = draft.addCommit(created)
        return (commit, try archive.publish(&draft, commit: commit, to: branch, expecting: parent, reason: "train: save \(name)"))
      }
      // Nothing to do is an outcome too.
      guard let outcome else { return .some(nil) }
      if case .moved = outcome.1 { return outcome.0 }
      return nil
    }
    if let outcome { return outcome }
    throw AlmanacError(.failed, "Branch \(branch) was moved by other writers; the training set was not saved", hint: "Try again.")
  }

  /// - Returns: nil when the version has exactly these rows.
  private func content(of saved: SavedTrainingSet, _ rows: TableInput, onto reference: DatasetRef?) throws -> TableContent? {
    let base = try reference.map { try TableVersion(archive: archive, root: $0.root) }
    guard try saved.contract.layout(evolving: base?.layout) == saved.layout else {
      throw AlmanacError(
        .failed, "Cannot save the training set as \(saved.name): its columns were changed by another writer meanwhile", hint: "Try again.")
    }
    guard
      case .content(let content) = try TableWriter(archive: archive, layout: saved.layout, policy: tailPolicy).apply(
        .replace, rows, onto: base)
    else {
      throw AlmanacError(.failed, "Cannot save the training set as \(saved.name): its row numbers repeat")
    }
    let isSame = content.addedCount + content.changedCount + content.removedCount == 0 && base?.layout == saved.layout
    return isSame ? nil : content
  }
}
