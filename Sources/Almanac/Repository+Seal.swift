import Columns
import Foundation
import History
import JSON
import Objects
import Tables

/// What `seal` did.
package struct SealReport: Sendable {
  package struct Dataset: Sendable {
    package let name: String
    package let tailCount: Int
    package let writtenLeafCount: Int
    package let rowCount: Int
    package let root: RootID
  }

  /// nil when everything was in canonical form already.
  package let commit: CommitID?
  package let branch: String
  /// Those that changed.
  package let datasets: [Dataset]
}

/// A dataset that was sealed on a parent that has been overtaken.
private struct SealedTable {
  let version: TableVersion
  let content: TableContent
}

extension Repository {
  /// Brings datasets into canonical form: tails are taken into the leaves, and values of dropped columns out of them. The rows
  /// stay what they are. Writers that commit meanwhile are not held up: what they add is sealed too or stays in tails.
  /// - Parameter names: nil for all.
  /// - Throws: `AlmanacError`: `notFound` for an unknown dataset.
  package func seal(
    _ names: [String]? = nil, branch: String? = nil, author: String? = nil, progress: ProgressHandler? = nil
  ) throws(AlmanacError) -> SealReport {
    let head = try headBranch()
    let branch = branch ?? head
    var sealed: [String: SealedTable] = [:]
    let report = try tryingOnTip(of: branch) { (tip) throws(AlmanacError) in
      guard let tip else { throw AlmanacError(.notFound, "There is nothing to seal: branch \(branch) has no commits") }
      return try attemptSeal(names, of: tip, on: branch, author: author, &sealed, progress: progress)
    }
    if let report { return report }
    throw AlmanacError(
      .failed, "Branch \(branch) was moved by other writers \(Self.raceCountMax) times; nothing was sealed", hint: "Try again.")
  }

  /// One try on one parent; nil when another writer was first.
  /// - Parameter sealed: what tries before have made, and this one makes.
  private func attemptSeal(
    _ names: [String]?, of parent: CommitID, on branch: String, author: String?, _ sealed: inout [String: SealedTable],
    progress: ProgressHandler?
  ) throws(AlmanacError) -> SealReport? {
    let old = try commit(parent)
    for name in names ?? [] where old.datasets[name] == nil {
      throw unknownDataset(name, known: Array(old.datasets.keys), at: "commit \(parent.short)")
    }
    var draft = archive.draft()
    var datasets = old.datasets
    var reports: [SealReport.Dataset] = []
    for (name, reference) in old.datasets.sorted(by: { $0.key < $1.key }) where names?.contains(name) ?? true {
      let version = try AlmanacError.translating { try TableVersion(archive: archive, root: reference.root) }
      guard try AlmanacError.translating(nil, { try !version.isCanonical() }) else { continue }
      let content: TableContent
      if let earlier = sealed[name], let carried = earlier.content.carried(from: earlier.version, to: version) {
        content = carried
      } else {
        content = try AlmanacError.translating {
          try TableWriter(archive: archive, layout: version.layout, policy: tailPolicy) { progress?("sealing \(name)", $0, $1) }
            .seal(version)
        }
        sealed[name] = SealedTable(version: version, content: content)
      }
      let root = content.addRoot(to: &draft)
      datasets[name] = DatasetRef(root: root, rows: content.rowCount)
      reports.append(
        SealReport.Dataset(
          name: name, tailCount: version.tails.entries.count, writtenLeafCount: content.writtenLeafCount, rowCount: content.rowCount,
          root: root))
    }
    guard !reports.isEmpty else { return SealReport(commit: nil, branch: branch, datasets: []) }
    let message = "seal: \(reports.map(\.name).joined(separator: ", "))"
    let created = Commit(
      parents: [parent], datasets: datasets, definitions: old.definitions, author: author ?? Self.defaultAuthor, message: message,
      timeMicros: try commitTime(after: [parent]), inputs: [], producer: Self.producer(["command": "seal"]), verdicts: nil)
    return try AlmanacError.translating {
      let id = draft.addCommit(created)
      switch try archive.publish(&draft, commit: id, to: branch, expecting: parent, reason: message) {
      case .moved: return SealReport(commit: id, branch: branch, datasets: reports)
      case .lostRace: return nil
      }
    }
  }
}
