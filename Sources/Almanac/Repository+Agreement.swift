import Checks
import History
import Tables

extension Repository {
  /// Commits whose rows are not under the columns that their contract declares: their dataset refuses further commits.
  ///
  /// What cannot be read is left out: the check of the store names it.
  /// - Complexity: O(commits); each pair of definitions and root once
  func agreementProblems() -> [CheckReport.Problem] {
    struct Pair: Hashable {
      let definitions: BlobID
      let name: String
      let root: RootID
    }
    var contracts: [BlobID: [String: Contract]] = [:]
    var layouts: [RootID: TableLayout] = [:]
    var details: [Pair: String?] = [:]
    var problems: [CheckReport.Problem] = []
    for (id, commit) in (try? archive.storedCommits()) ?? [] {
      if contracts[commit.definitions] == nil { contracts[commit.definitions] = (try? definitions(at: id))?.contracts ?? [:] }
      for (name, reference) in commit.datasets.sorted(by: { $0.key < $1.key }) {
        let pair = Pair(definitions: commit.definitions, name: name, root: reference.root)
        if details[pair] == nil {
          if layouts[reference.root] == nil { layouts[reference.root] = try? TableVersion(archive: archive, root: reference.root).layout }
          details[pair] = .some(layouts[reference.root].flatMap { contracts[commit.definitions]?[name]?.disagreement(with: $0) })
        }
        guard let detail = details[pair] ?? nil else { continue }
        problems.append(
          CheckReport.Problem(
            .damage, "commit \(id)", path: "packs",
            "the rows of \(name) do not have the columns of its contract: \(detail); check the rows out, and commit them with --mode replace",
            touches: [.init(commit: id, dataset: name, rowCount: reference.rows)]))
      }
    }
    return problems
  }
}

extension Contract {
  /// The first thing that rows under a layout have otherwise than this contract says; nil when they agree.
  fileprivate func disagreement(with layout: TableLayout) -> String? {
    guard !agrees(with: layout) else { return nil }
    func text(_ column: (name: String, type: String, isNullable: Bool)) -> String {
      "\(column.name) \(column.type)\(column.isNullable ? "" : " required")"
    }
    let mine = storedSchema.fields.map { text(($0.name, "\($0.type)", $0.isNullable)) }
    let theirs = layout.schema.fields.map { text(($0.name, "\($0.type)", $0.isNullable)) }
    for index in 0..<max(mine.count, theirs.count) {
      let (expected, found) = (index < mine.count ? mine[index] : "no column", index < theirs.count ? theirs[index] : "no column")
      if expected != found { return "expected \(expected), found \(found)" }
    }
    return "expected the key (\(storedKey.joined(separator: ", "))), found (\(layout.primaryKey.joined(separator: ", "))), or other times"
  }
}
