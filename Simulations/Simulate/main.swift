SimulateCommand.launch()
