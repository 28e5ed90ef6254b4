import Checks
import Features
import Foundation

/// What `apply --export` wrote.
package struct ExportReport: Sendable {
  /// Paths in the folder, sorted.
  package let files: [String]
  /// Datasets whose contract has no form as a file; they stay registered.
  package let skipped: [String]
}

extension Repository {
  private static let featuresFile = "features/features.yaml"

  /// Writes the definitions registered on the current branch to `schemas/*.yaml` and `features/*.yaml`, so that `apply` there
  /// changes nothing.
  /// - Throws: `AlmanacError` of kind `failed` when the folder has changes that are not applied, or declares something in a
  ///   file of another name.
  package func exportDefinitions() throws(AlmanacError) -> ExportReport {
    let pending = try apply(plan: true).changes
    guard pending.isEmpty else {
      throw AlmanacError(
        .failed, "Cannot export: the folder has changes that are not applied: \(pending.map(\.object).joined(separator: ", "))",
        hint: "Run `almanac apply` first, or move the changed files away.")
    }
    let registered = try definitions(at: currentTip())
    var files: [String: String] = [:]
    var skipped: [String] = []
    for (name, contract) in registered.contracts.sorted(by: { $0.key < $1.key }) {
      if let text = contract.yaml { files["schemas/\(name).yaml"] = text } else { skipped.append(name) }
    }
    let features = registered.features
    if features != DefinitionSet() {
      let text = features.yaml
      guard try AlmanacError.translating(nil, { try DefinitionSet.parse(files: [(name: Self.featuresFile, yaml: text)]) }) == features
      else {
        throw AlmanacError(.failed, "Cannot export the features: their file would not say the same")
      }
      files[Self.featuresFile] = text
    }
    try checkOtherFiles(files, registered)
    do {
      for folder in ["schemas", "features"] {
        try FileManager.default.createDirectory(atPath: "\(self.folder)/\(folder)", withIntermediateDirectories: true)
      }
    } catch {
      throw AlmanacError(.io, "Cannot write the definitions to \(folder): \(error.localizedDescription)")
    }
    for (name, text) in files { try OutputPlace.write(text.utf8, to: "\(folder)/\(name)") }
    // Writes down that the folder has what is registered; there is nothing to change.
    guard try apply(plan: true).changes.isEmpty else {
      throw AlmanacError(.failed, "The exported files do not say what is registered; look at: almanac apply --plan")
    }
    _ = try apply(plan: false)
    return ExportReport(files: files.keys.sorted(), skipped: skipped)
  }

  /// One definition must not stand in two files.
  private func checkOtherFiles(_ files: [String: String], _ registered: Definitions) throws(AlmanacError) {
    func refuse(_ file: String, _ object: String) -> AlmanacError {
      AlmanacError(
        .failed, "Cannot export \(object): it is declared in \(file)", hint: "Move \(file) away, then export again.")
    }
    for file in try yamlFiles(in: "schemas") where files[file.name] == nil {
      for contract in try AlmanacError.translating(nil, { try Contract.parse(yaml: file.text, file: file.name) })
      where files["schemas/\(contract.name).yaml"] != nil {
        throw refuse(file.name, "dataset \(contract.name)")
      }
    }
    for file in try yamlFiles(in: "features") where files[file.name] == nil && files[Self.featuresFile] != nil {
      let declared = try AlmanacError.translating {
        try DefinitionSet.parse(files: [(name: file.name, yaml: file.text)])
      }
      if declared != DefinitionSet() { throw refuse(file.name, "the features") }
    }
  }
}

extension DefinitionSet {
  /// A features file that says the same: one object a line, in JSON, which is YAML.
  var yaml: String {
    var lines = ["# Written by `almanac apply --export`."]
    for section in ["entities", "feature_views", "on_demand_features", "feature_services"] {
      let items = json[section]?.arrayValue ?? []
      if items.isEmpty { continue }
      lines.append("\(section):")
      for item in items { lines.append("- \(item.text())") }
    }
    return lines.joined(separator: "\n") + "\n"
  }
}
